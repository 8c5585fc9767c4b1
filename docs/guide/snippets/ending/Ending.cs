// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Martlet;

internal static class Ending
{
    private static async Task Main()
    {
        // guide: begin
        var handled = new List<string>();
        await using var server = MartletServer.Start(); // Stopped at the end of the block.
        var reader = await MartletConnection.ConnectAsync(server);
        reader.Subscribe("jobs", job => handled.Add(job.Text));
        await reader.FlushAsync();
        await using (var sender = await MartletConnection.ConnectAsync(server))
        {
            foreach (string job in new[] { "1", "2", "3" })
            {
                await sender.PublishAsync("jobs", job);
            }
        } // DisposeAsync sends everything, then closes.

        await reader.DrainAsync(); // Hands over what has come, sends, then closes.
        Console.WriteLine("handled: " + string.Join(" ", handled));
        try
        {
            await reader.PublishAsync("jobs", "4");
        }
        catch (MartletConnectionClosedException)
        {
            Console.WriteLine("closed: nothing more is taken");
        }

        // guide: end
    }
}
