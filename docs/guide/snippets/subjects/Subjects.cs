// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Martlet;

internal static class Subjects
{
    private static async Task Main()
    {
        // guide: begin
        await using var server = MartletServer.Start();
        await using var connection = await MartletConnection.ConnectAsync(server);

        // * stands for one word. This subscription ends by itself after two messages.
        var two = new MartletSubscriptionOptions { MaxMessages = 2 };
        var arrivals = connection.SubscribeAsync("flight.*.JFK", options: two);
        await connection.PublishAsync("flight.AA.JFK", "on time");
        await connection.PublishAsync("flight.AA.LAX", "early");
        await connection.PublishAsync("flight.UA.JFK", "late");
        await foreach (MartletMessage message in arrivals)
        {
            Console.WriteLine("to JFK: " + message.Subject + " " + message.Text);
        }

        // > stands for all that follows. Callbacks run on a thread of the connection.
        connection.Subscribe(
            "flight.AA.>",
            message => Console.WriteLine("of AA: " + message.Subject + " " + message.Text));
        await connection.PublishAsync("flight.AA.JFK.gate", "B22");
        await connection.PublishAsync("flight.UA.JFK.gate", "C9");
        await connection.PublishAsync("flight.AA.LAX", "landed");
        await connection.DrainAsync(); // Closed when the callback has seen everything.
        // guide: end
    }
}
