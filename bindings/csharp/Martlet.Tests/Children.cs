// SPDX-License-Identifier: Apache-2.0
//
// Owns the programs whose ends are tested: `Martlet.Tests child SCENARIO`. Each has a broker and a
// stream of messages under way when it ends; it says "under load" when that is so.
using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public static class Children
    {
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

        /// <summary>Returns when messages stream, by callback and by loop, and goes on.</summary>
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
                    Interlocked.Increment(ref received);
                }
            });
            _ = Task.Run(async () =>
            {
                byte[] data = new byte[128];
                Stopwatch clock = Stopwatch.StartNew();
                for (long sent = 0; ; sent++)
                {
                    await connection.PublishAsync("load", data);
                    if (sent % 100 == 0 && sent > clock.ElapsedMilliseconds * 100)
                    {
                        await Task.Delay(1); // 100,000 a second.
                    }
                }
            });
            while (Interlocked.Read(ref received) < 10_000)
            {
                await Task.Delay(1);
            }

            Console.WriteLine("under load");
        }
    }
}
