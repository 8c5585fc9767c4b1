// SPDX-License-Identifier: Apache-2.0
//
// Owns the measurement of C#: rates of publish, callback and await foreach, and the median of a
// request, at 128 bytes. `Martlet.Tests measure [URL]`; without a URL a broker inside the process,
// without a socket. Each row is the median of five rounds. Part of no test.
using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public static class Measure
    {
        private const int Rounds = 5;
        private const int Messages = 500_000;
        private const int Requests = 5_000;
        private static readonly byte[] Data = new byte[128];

        public static async Task RunAsync(string[] arguments)
        {
            string? url = arguments.FirstOrDefault();
            using MartletServer? server = url == null ? MartletServer.Start() : null;
            await using MartletConnection publisher = await ConnectAsync(url, server);
            await using MartletConnection receiver = await ConnectAsync(url, server);
            await RowAsync("publish", () => PublishAsync(publisher));
            await RowAsync("callback", () => CallbackAsync(publisher, receiver));
            await RowAsync("await_foreach", () => LoopAsync(publisher, receiver));
            await RowAsync("request_p50_us", () => RequestAsync(publisher, receiver));
        }

        private static Task<MartletConnection> ConnectAsync(string? url, MartletServer? server) =>
            url == null
                ? MartletConnection.ConnectAsync(server!)
                : MartletConnection.ConnectAsync(url);

        private static async Task RowAsync(string name, Func<Task<double>> round)
        {
            await round();
            var found = new double[Rounds];
            for (int i = 0; i < Rounds; i++)
            {
                found[i] = await round();
            }

            Array.Sort(found);
            Console.WriteLine(
                name + " " + found[Rounds / 2].ToString("F1", CultureInfo.InvariantCulture));
        }

        private static async Task<double> PublishAsync(MartletConnection publisher)
        {
            Stopwatch clock = Stopwatch.StartNew();
            for (int i = 0; i < Messages; i++)
            {
                await publisher.PublishAsync("nobody", Data);
            }

            await publisher.FlushAsync();
            return Messages / clock.Elapsed.TotalSeconds;
        }

        private static async Task<double> CallbackAsync(
            MartletConnection publisher, MartletConnection receiver)
        {
            int left = Messages;
            var done = new TaskCompletionSource<bool>(
                TaskCreationOptions.RunContinuationsAsynchronously);
            using MartletSubscription subscription = receiver.Subscribe(
                "callback",
                (Action<MartletMessage>)(message =>
                {
                    left -= message.Data.Length / Data.Length;
                    if (left == 0)
                    {
                        done.SetResult(true);
                    }
                }),
                options: Unbounded());
            await receiver.FlushAsync();
            Stopwatch clock = Stopwatch.StartNew();
            Task publishing = PublishAllAsync(publisher, "callback");
            await done.Task;
            await publishing;
            return Messages / clock.Elapsed.TotalSeconds;
        }

        private static async Task<double> LoopAsync(
            MartletConnection publisher, MartletConnection receiver)
        {
            MartletSubscription subscription =
                receiver.SubscribeAsync("loop", options: Unbounded());
            await receiver.FlushAsync();
            Stopwatch clock = Stopwatch.StartNew();
            Task publishing = PublishAllAsync(publisher, "loop");
            int left = Messages;
            await foreach (MartletMessage message in subscription)
            {
                left -= message.Data.Length / Data.Length;
                if (left == 0)
                {
                    break;
                }
            }

            await publishing;
            return Messages / clock.Elapsed.TotalSeconds;
        }

        private static async Task<double> RequestAsync(
            MartletConnection publisher, MartletConnection receiver)
        {
            using MartletSubscription subscription = receiver.Subscribe(
                "echo", (Action<MartletMessage>)(message => _ = message.ReplyAsync(message.Data)));
            await receiver.FlushAsync();
            var microseconds = new double[Requests];
            for (int i = 0; i < Requests; i++)
            {
                long begin = Stopwatch.GetTimestamp();
                await publisher.RequestAsync("echo", Data);
                microseconds[i] =
                    (Stopwatch.GetTimestamp() - begin) * 1e6 / Stopwatch.Frequency;
            }

            Array.Sort(microseconds);
            return microseconds[Requests / 2];
        }

        private static Task PublishAllAsync(MartletConnection publisher, string subject) =>
            Task.Run(async () =>
            {
                for (int i = 0; i < Messages; i++)
                {
                    await publisher.PublishAsync(subject, Data);
                }
            });

        private static MartletSubscriptionOptions Unbounded() =>
            new MartletSubscriptionOptions { PendingMessagesMax = 0, PendingBytesMax = 0 };
    }
}
