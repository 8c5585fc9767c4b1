// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Examples
{
    /// <summary>Martlet in C#: <c>GuestCsharp host</c>, or <c>guest URL NUMBER GUESTS FILE</c>. See
    /// ../README.md.</summary>
    internal static class GuestCsharp
    {
        private static readonly TimeSpan Longest = TimeSpan.FromSeconds(120);

        private static async Task Main(string[] words)
        {
            if (words[0] == "host")
            {
                await HostAsync();
            }
            else
            {
                var notes = new Notes(int.Parse(words[2]), int.Parse(words[3]), words[4]);
                await GuestAsync(words[1], notes);
            }
        }

        private static async Task HostAsync()
        {
            await using MartletServer server = MartletServer.Start();
            Notes.Tell("\"ready\", \"url\": \"" + server.Url + "\"");
            await Console.In.ReadToEndAsync();
        }

        private static async Task GuestAsync(string url, Notes notes)
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(url);
            using var longest = new CancellationTokenSource();
            MartletSubscription subscription = connection.SubscribeAsync(
                "flights.>", cancellationToken: longest.Token);
            await connection.FlushAsync();
            Notes.Tell("\"ready\"");
            await Console.In.ReadLineAsync();
            longest.CancelAfter(Longest);
            Task publishing = Task.Run(() => PublishAsync(connection, notes));
            await ReadAsync(subscription, notes);
            await publishing;
            notes.TellResult();
        }

        private static async Task PublishAsync(MartletConnection connection, Notes notes)
        {
            foreach ((string subject, string payload) in notes.Share())
            {
                await connection.PublishAsync(subject, payload);
            }
        }

        private static async Task ReadAsync(MartletSubscription subscription, Notes notes)
        {
            try
            {
                await foreach (MartletMessage message in subscription)
                {
                    notes.Add(message.Subject, message.Data.Span);
                    if (notes.IsComplete)
                    {
                        return;
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // What has come by now is told, and judged.
            }
        }
    }
}
