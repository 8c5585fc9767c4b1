// SPDX-License-Identifier: Apache-2.0
// guide: begin
using System;
using System.Threading.Tasks;
using Martlet;

internal static class FirstMessage
{
    private static async Task Main()
    {
        await using var server = MartletServer.Start();
        await using var connection = await MartletConnection.ConnectAsync(server);

        var greetings = connection.SubscribeAsync("greet.*");
        await connection.PublishAsync("greet.world", "hello");
        MartletMessage message = await greetings.NextAsync();
        Console.WriteLine(message.Subject + ": " + message.Text);
    }
}
// guide: end
