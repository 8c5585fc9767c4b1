// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Martlet;

internal static class OtherPrograms
{
    private static async Task Main()
    {
        // guide: begin
        await using var server = MartletServer.Start(
            new MartletServerOptions { User = "ann", Password = "secret" });
        var ann = new MartletConnectionOptions { User = "ann", Password = "secret" };
        await using var inside = await MartletConnection.ConnectAsync(server, ann);
        var greetings = inside.SubscribeAsync("greet");
        await inside.FlushAsync(); // The broker knows of the subscription.

        // Any client of NATS, in any program: here one of ours, over TCP.
        ann.Url = server.Url;
        await using var outside = await MartletConnection.ConnectAsync(ann);
        await outside.PublishAsync("greet", "hello");
        MartletMessage message = await greetings.NextAsync();
        Console.WriteLine("from outside: " + message.Text);

        try
        {
            await MartletConnection.ConnectAsync(server.Url);
        }
        catch (MartletAuthorizationException)
        {
            Console.WriteLine("refused without a password");
        }

        // guide: end
    }
}
