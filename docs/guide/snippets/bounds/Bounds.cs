// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Martlet;

internal static class Bounds
{
    private static async Task Main()
    {
        await using var server = MartletServer.Start();
        await using var connection = await MartletConnection.ConnectAsync(server);

        // guide: begin
        var three = new MartletSubscriptionOptions
        {
            PendingMessagesMax = 3,
            FullPolicy = MartletFullPolicy.DropOldest,
        };
        var ticks = connection.SubscribeAsync("ticks", options: three);
        for (int tick = 0; tick < 10; tick++)
        {
            await connection.PublishAsync("ticks", tick.ToString());
        }

        await connection.FlushAsync(); // All have come back by now, and nobody has read.
        MartletSubscriptionStatistics counts = ticks.GetStatistics();
        Console.WriteLine($"waiting: {counts.PendingMessages}, lost: {counts.Dropped}");

        Console.Write("read:");
        for (int i = 0; i < 3; i++)
        {
            Console.Write(" " + (await ticks.NextAsync()).Text);
        }

        MartletServerStatistics broker = server.GetStatistics();
        Console.WriteLine($"\nthe broker took {broker.InMessages} and gave {broker.OutMessages}");
        // guide: end
    }
}
