// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Martlet;

internal static class MessageHeaders
{
    private static async Task Main()
    {
        await using var server = MartletServer.Start();
        await using var connection = await MartletConnection.ConnectAsync(server);

        // guide: begin
        var news = connection.SubscribeAsync("news");
        var headers = new MartletHeaders
        {
            { "Content-Type", "text/plain" },
            { "Trace", "a" },
            { "Trace", "b" },
        };
        await connection.PublishAsync("news", "hello", headers);

        MartletMessage message = await news.NextAsync();
        Console.WriteLine("Content-Type: " + message.Headers!["Content-Type"]);
        Console.WriteLine("Trace: " + string.Join(", ", message.Headers.GetValues("Trace")));
        // guide: end
    }
}
