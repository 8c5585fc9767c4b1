// SPDX-License-Identifier: Apache-2.0
//
// A broker inside this process, a message through it by TCP and inside; what the package says.
using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Martlet;

public static class Exchange
{
    public static async Task RunAsync()
    {
        using MartletServer server = MartletServer.Start();
        await using (MartletConnection connection = await MartletConnection.ConnectAsync(server))
        {
            await Once(connection);
        }

        await using (MartletConnection connection =
            await MartletConnection.ConnectAsync(server.Url))
        {
            await Once(connection);
        }

        Console.WriteLine("exchanged " + MartletLibrary.Version);
        foreach (KeyValuePair<string, string> linked in MartletLibrary.LinkedVersions)
        {
            Console.WriteLine("linked " + linked.Key + " " + linked.Value);
        }
    }

    private static async Task Once(MartletConnection connection)
    {
        MartletSubscription subscription = connection.SubscribeAsync("greet.*");
        await connection.PublishAsync("greet.world", "hello");
        await foreach (MartletMessage message in subscription)
        {
            if (message.Text != "hello")
            {
                throw new InvalidOperationException("another message than was sent");
            }

            break;
        }
    }
}
