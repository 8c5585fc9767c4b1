// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Martlet;

internal static class Reconnecting
{
    private static async Task Main()
    {
        await using var server = MartletServer.Start();

        // guide: begin
        var options = new MartletConnectionOptions
        {
            ReconnectWait = TimeSpan.FromMilliseconds(50),
        };
        await using var connection = await MartletConnection.ConnectAsync(server, options);
        var news = connection.SubscribeAsync("news");

        var lost = new TaskCompletionSource<bool>();
        var back = new TaskCompletionSource<bool>();
        connection.ConnectionDisconnected += (sender, happened) => lost.TrySetResult(true);
        server.Stop();
        await lost.Task;
        Console.WriteLine("connection lost");
        connection.ConnectionOpened += (sender, happened) => back.TrySetResult(true);
        await connection.PublishAsync("news", "sent meanwhile"); // Waits in a buffer.
        server.Start();
        await back.Task;
        Console.WriteLine("connected again");
        Console.WriteLine("news: " + (await news.NextAsync()).Text);
        Console.WriteLine("reconnects: " + connection.GetStatistics().Reconnects);
        // guide: end
    }
}
