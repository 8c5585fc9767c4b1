// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Martlet;

internal static class QueueGroups
{
    private static async Task Main()
    {
        await using var server = MartletServer.Start();
        await using var connection = await MartletConnection.ConnectAsync(server);

        // guide: begin
        var done = new List<string>();
        var seen = new List<string>();
        connection.Subscribe("jobs", job => done.Add(job.Text), queueGroup: "workers");
        connection.Subscribe("jobs", job => done.Add(job.Text), queueGroup: "workers");
        connection.Subscribe("jobs", job => seen.Add(job.Text));
        for (int number = 0; number < 6; number++)
        {
            await connection.PublishAsync("jobs", number.ToString());
        }

        await connection.DrainAsync();
        done.Sort(StringComparer.Ordinal);
        seen.Sort(StringComparer.Ordinal);
        Console.WriteLine("workers did: " + string.Join(" ", done));
        Console.WriteLine("audit saw: " + string.Join(" ", seen));
        // guide: end
    }
}
