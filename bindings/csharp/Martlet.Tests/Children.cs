// SPDX-License-Identifier: Apache-2.0
//
// Owns the programs whose ends are tested: `Martlet.Tests child SCENARIO`. Each has a broker and a
// stream of messages under way when it ends; it says "under load" when that is so, with how many
// messages a second there are and when that was (Stopwatch.GetTimestamp).
using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public static class Children
    {
        /// <summary>Messages a second.</summary>
        public const long LoadRate = 100_000;

        private const int RateWindowMilliseconds = 200;

        private static readonly TimeSpan RateWithin = TimeSpan.FromSeconds(60);

        private static long received;

        public static int Run(string[] arguments)
        {
            switch (arguments[0])
            {
                case "version":
                    Console.WriteLine(MartletLibrary.Version);
                    return 0;
                case "connect":
                    return ConnectAsync(arguments[1]).GetAwaiter().GetResult();
                case "main":
                    LoadAsync().GetAwaiter().GetResult();
                    return 7;
                case "exit":
                    LoadAsync().GetAwaiter().GetResult();
                    Environment.Exit(8);
                    return 0;
                case "throw":
                    LoadAsync().GetAwaiter().GetResult();
                    throw new InvalidOperationException("nobody catches this");
                case "wait":
                    LoadAsync().GetAwaiter().GetResult();
                    Thread.Sleep(Timeout.Infinite);
                    return 0;
                case "next":
                    return WaitForNothing(default);
                case "handled":
                    return WaitUntilCtrlC();
                default:
                    throw new ArgumentException("no scenario " + arguments[0]);
            }
        }

        private static async Task<int> ConnectAsync(string url)
        {
            MartletConnection connection = await MartletConnection.ConnectAsync(url);
            await connection.PublishAsync("child", "here");
            await connection.FlushAsync();
            return 0;
        }

        /// <summary>Blocks in the wait for a message that does not come.</summary>
        private static int WaitForNothing(CancellationToken cancellationToken)
        {
            using MartletServer server = MartletServer.Start();
            MartletConnection connection =
                MartletConnection.ConnectAsync(server).GetAwaiter().GetResult();
            MartletSubscription subscription = connection.SubscribeAsync("nothing");
            LoadAsync().GetAwaiter().GetResult();
            subscription.NextAsync(cancellationToken).AsTask().GetAwaiter().GetResult();
            return 0;
        }

        private static int WaitUntilCtrlC()
        {
            using var stop = new CancellationTokenSource();
            Console.CancelKeyPress += (sender, pressed) =>
            {
                pressed.Cancel = true; // The program ends by itself.
                stop.Cancel();
            };
            try
            {
                return WaitForNothing(stop.Token);
            }
            catch (OperationCanceledException)
            {
                return 9;
            }
        }

        /// <summary>Messages stream as fast as they can, to a callback and to a loop. Returns when
        /// the callback has got LoadRate of them a second for a while; they go on.</summary>
        private static async Task LoadAsync()
        {
            MartletServer server = MartletServer.Start();
            MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
            connection.Subscribe("load", message => Interlocked.Increment(ref received));
            MartletSubscription subscription = connection.SubscribeAsync("load");
            _ = Task.Run(async () =>
            {
                await foreach (MartletMessage message in subscription)
                {
                    Check.Equal(128, message.Data.Length);
                }
            });
            _ = Task.Run(async () =>
            {
                byte[] data = new byte[128];
                while (true)
                {
                    await connection.PublishAsync("load", data);
                }
            });
            Stopwatch since = Stopwatch.StartNew();
            double rate = 0;
            while (rate < LoadRate)
            {
                Check.True(since.Elapsed < RateWithin, "enough messages a second, not " + rate);
                long before = Interlocked.Read(ref received);
                Stopwatch clock = Stopwatch.StartNew();
                await Task.Delay(RateWindowMilliseconds);
                rate = (Interlocked.Read(ref received) - before) / clock.Elapsed.TotalSeconds;
            }

            Console.WriteLine("under load " + (long)rate + " " + Stopwatch.GetTimestamp());
        }
    }
}
