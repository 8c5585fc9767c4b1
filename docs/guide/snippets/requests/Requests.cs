// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Martlet;

internal static class Requests
{
    private static async Task Main()
    {
        await using var server = MartletServer.Start();
        await using var connection = await MartletConnection.ConnectAsync(server);

        // guide: begin
        connection.Subscribe(
            "greet", async request => await request.ReplyAsync("hello " + request.Text));
        MartletMessage answer = await connection.RequestAsync("greet", "Ann");
        Console.WriteLine("answer: " + answer.Text);

        try
        {
            await connection.RequestAsync("nobody", "Ann");
        }
        catch (MartletNoRespondersException)
        {
            Console.WriteLine("nobody listens");
        }

        connection.Subscribe("silence", request => { });
        try
        {
            var soon = TimeSpan.FromMilliseconds(50);
            await connection.RequestAsync("silence", "Ann", timeout: soon);
        }
        catch (MartletTimeoutException)
        {
            Console.WriteLine("no answer in time");
        }

        // guide: end
    }
}
