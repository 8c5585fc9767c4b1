// SPDX-License-Identifier: Apache-2.0
//
// Goal: nothing is left behind, whatever way things end; what is collected ends too; calls inside
// callbacks do not wait for themselves. Method: threads, descriptors and native handles are counted
// (Usage.cs), clients by the broker.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class LifecycleTests : IDisposable
    {
        private readonly MartletServer server = MartletServer.Start();

        public void Dispose() => server.Dispose();

        [Fact(Seconds = 300)]
        public async Task ServersLeaveNothing()
        {
            await ServersAsync(500);
            await Usage.StaysFlatAsync(() => ServersAsync(500));
        }

        [Fact(Seconds = 300)]
        public async Task ConnectionsLeaveNothing()
        {
            await ConnectionsAsync(500);
            await Usage.StaysFlatAsync(() => ConnectionsAsync(500));
        }

        /// <summary>The measure of the tests above is one: it sees what has not ended.</summary>
        [Fact]
        public async Task WhatIsLeftIsSeen()
        {
            await ConnectionsAsync(1);
            Usage before = await Usage.SettledAsync();
            MartletServer left = MartletServer.Start();
            MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
            connection.Subscribe("x", message => { });
            await NextOfAsync(connection, connection.SubscribeAsync("y"), "y");
            Usage during = before;
            await Check.SoonAsync( // Threads may begin late.
                () =>
                {
                    during = new Usage();
                    return during.NativeThreads >= before.NativeThreads + 2;
                },
                "there are more native threads");
            string seen = before + "; " + during;
            Check.True(during.Threads >= during.NativeThreads + 2, "threads: " + seen);
            Check.True(during.Handles > before.Handles + 2, "handles: " + seen);
            Check.True(during.Descriptors > before.Descriptors + 2, "descriptors: " + seen);
            Check.True(!before.IsFlat(during), "it is not flat: " + seen);
            GC.KeepAlive(connection);
            GC.KeepAlive(left);
            await connection.DisposeAsync();
            left.Dispose();
            await before.FlatAsync();
        }

        [Fact]
        public async Task SubscriptionsAddNoThread()
        {
            await using MartletConnection connection =
                await MartletConnection.ConnectAsync(server.Url);
            connection.Subscribe("first", message => { });
            await NextOfAsync(connection, connection.SubscribeAsync("second"), "second");
            int before = new Usage().Threads;
            var subscriptions = new List<MartletSubscription>();
            for (int i = 0; i < 500; i++)
            {
                subscriptions.Add(connection.SubscribeAsync("s." + i));
                connection.Subscribe("c." + i, message => { });
            }

            Task<MartletMessage>[] waiting =
                subscriptions.Select(each => each.NextAsync().AsTask()).ToArray();
            await connection.FlushAsync();
            int after = new Usage().Threads;
            Check.True(
                after <= before + Usage.ThreadsMax, "threads: " + before + ", then " + after);
            ThreadPool.GetMaxThreads(out int most, out _);
            ThreadPool.GetAvailableThreads(out int available, out _);
            Check.True(most - available < 20, "waiting takes no thread of the pool");
            for (int i = 0; i < 500; i++)
            {
                await connection.PublishAsync("s." + i, "x");
            }

            await Check.InTimeAsync(Task.WhenAll(waiting));
        }

        [Fact]
        public async Task DroppedConnectionsClose()
        {
            await DropAsync();
            await Check.SoonAsync(() => CollectUntilGone(server, 0), "the broker sees them go");
        }

        /// <summary>A callback keeps its connection, until it ends.</summary>
        [Fact]
        public async Task DroppedConnectionsCloseWhenTheirCallbacksHaveEnded()
        {
            await DropAfterCallbacksAsync();
            await Check.SoonAsync(() => CollectUntilGone(server, 0), "the broker sees them go");
        }

        [Fact]
        public async Task DroppedServersStop()
        {
            await ConnectionsAsync(1); // The thread of this test's own server has begun then.
            string[] theirs = await DropServersAsync();
            await Check.SoonAsync(
                () =>
                {
                    Collect();
                    return !new Usage().NativeTasks.Intersect(theirs).Any();
                },
                "they end");
        }

        [Fact]
        public async Task DroppedSubscriptionsUnsubscribe()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            DropSubscriptions(connection);
            await Check.SoonAsync(
                () =>
                {
                    Collect();
                    return connection.GetStatistics().Subscriptions == 0;
                },
                "they end");
        }

        [Fact]
        public async Task WaitingLoopsAreKept()
        {
            var got = new TaskCompletionSource<string>();
            StartLoop(got);
            await Check.SoonAsync(() => server.GetStatistics().Subscriptions == 1, "it loops");
            for (int i = 0; i < 5; i++)
            {
                Collect();
                await Task.Delay(20);
            }

            await using MartletConnection other = await MartletConnection.ConnectAsync(server);
            await other.PublishAsync("kept", "alive");
            Check.Equal("alive", await Check.InTimeAsync(got.Task));
        }

        [Fact]
        public async Task DisposeInsideACallback()
        {
            foreach (bool blocking in new[] { true, false })
            {
                MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
                var done = new TaskCompletionSource<bool>();
                connection.Subscribe("x", (Action<MartletMessage>)(message =>
                {
                    if (blocking)
                    {
                        connection.Dispose();
                    }
                    else
                    {
                        connection.DisposeAsync().AsTask().Wait();
                    }

                    done.SetResult(true);
                }));
                await connection.PublishAsync("x", "y");
                await Check.InTimeAsync(done.Task, 5);
                await Check.SoonAsync(
                    () => connection.State == MartletConnectionState.Closed, "closed");
            }

            await Check.SoonAsync(() => server.GetStatistics().Connections == 0, "gone");
        }

        [Fact]
        public async Task DrainInsideACallback()
        {
            MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
            var drained = new TaskCompletionSource<Task>();
            connection.Subscribe("x", (Action<MartletMessage>)(
                message => drained.SetResult(connection.DrainAsync())));
            await connection.PublishAsync("x", "y");
            await Check.InTimeAsync(await Check.InTimeAsync(drained.Task));
            Check.Equal(MartletConnectionState.Closed, connection.State);
        }

        [Fact]
        public async Task UnsubscribeInsideACallback()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            int called = 0;
            MartletSubscription? subscription = null;
            subscription = connection.Subscribe("x", (Action<MartletMessage>)(message =>
            {
                called++;
                subscription!.Unsubscribe();
            }));
            for (int i = 0; i < 10; i++)
            {
                await connection.PublishAsync("x", "y");
            }

            await connection.FlushAsync();
            await Check.SoonAsync(() => called > 0, "called");
            await Task.Delay(50);
            Check.Equal(1, called);
        }

        [Fact]
        public async Task StopTheServerInsideACallback()
        {
            MartletServer own = MartletServer.Start();
            await using MartletConnection connection = await MartletConnection.ConnectAsync(
                own, new MartletConnectionOptions { Reconnect = false });
            var done = new TaskCompletionSource<bool>();
            connection.Subscribe("x", (Action<MartletMessage>)(message =>
            {
                own.Dispose();
                done.SetResult(true);
            }));
            await connection.PublishAsync("x", "y");
            await Check.InTimeAsync(done.Task);
            await Check.SoonAsync(
                () => connection.State == MartletConnectionState.Closed, "closed");
        }

        [Fact]
        public async Task ConcurrentUseAndEnd()
        {
            for (int round = 0; round < 20; round++)
            {
                MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
                connection.Subscribe("x", message => { });
                Task[] users = Enumerable.Range(0, 4)
                    .Select(i => Task.Run(() => UseUntilClosedAsync(connection)))
                    .Append(Task.Run(() => PublishUntilClosedAsync(connection)))
                    .ToArray();
                await Task.Delay(10);
                await connection.DisposeAsync();
                await Check.InTimeAsync(Task.WhenAll(users));
            }

            await Check.SoonAsync(() => server.GetStatistics().Connections == 0, "all gone");
        }

        [Fact(Seconds = 300)]
        public async Task MemoryIsFlat()
        {
            await using MartletConnection connection =
                await MartletConnection.ConnectAsync(server.Url);
            await StreamAsync(connection, 2_000_000);
            await Usage.StaysFlatAsync(() => StreamAsync(connection, 5_000_000));
        }

        /// <summary>The publisher is never more than a few batches ahead, so that no queue is
        /// longer at one time than at another.</summary>
        private static async Task StreamAsync(MartletConnection connection, int count)
        {
            const int Batch = 1000;
            using var batches = new SemaphoreSlim(8);
            MartletSubscription subscription = connection.SubscribeAsync("stream");
            byte[] data = new byte[128];
            Task publishing = Task.Run(async () =>
            {
                for (int i = 0; i < count; i++)
                {
                    if (i % Batch == 0)
                    {
                        await batches.WaitAsync();
                    }

                    await connection.PublishAsync("stream", data);
                }
            });
            int seen = 0;
            await foreach (MartletMessage message in subscription)
            {
                seen += message.Data.Length / 128;
                if (seen == count)
                {
                    break;
                }

                if (seen % Batch == 0)
                {
                    batches.Release();
                }
            }

            await publishing;
            Collect();
        }

        private static async Task UseUntilClosedAsync(MartletConnection connection)
        {
            try
            {
                while (true)
                {
                    await connection.PublishAsync("x", "y");
                    await connection.FlushAsync();
                    using MartletSubscription subscription = connection.SubscribeAsync("z");
                    connection.GetStatistics();
                }
            }
            catch (MartletException error)
            {
                Check.True(
                    error is MartletConnectionClosedException
                        || error is MartletDisconnectedException,
                    "closed, not " + error);
            }
        }

        /// <summary>Nothing but that, so that the end mostly comes while it is under way.</summary>
        private static async Task PublishUntilClosedAsync(MartletConnection connection)
        {
            Func<Task> publish = async () =>
            {
                while (true)
                {
                    await connection.PublishAsync("y", "z");
                }
            };
            await Check.ThrowsAsync<MartletConnectionClosedException>(publish);
        }

        private static async Task NextOfAsync(
            MartletConnection connection, MartletSubscription subscription, string subject)
        {
            await connection.PublishAsync(subject, "x");
            await Check.InTimeAsync(subscription.NextAsync().AsTask());
        }

        private static async Task ServersAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                await using MartletServer each = MartletServer.Start();
                await using MartletConnection connection =
                    await MartletConnection.ConnectAsync(each);
                await connection.PublishAsync("x", "y");
            }
        }

        private async Task ConnectionsAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                await using MartletConnection connection =
                    await MartletConnection.ConnectAsync(new MartletConnectionOptions
                    {
                        Url = server.Url,
                        ConnectTimeout = TimeSpan.FromSeconds(30), // The machine may be busy.
                    });
                connection.Subscribe("x", message => { });
                await NextOfAsync(connection, connection.SubscribeAsync("y"), "y");
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private async Task DropAsync()
        {
            for (int i = 0; i < 10; i++)
            {
                MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
                await NextOfAsync(connection, connection.SubscribeAsync("x" + i), "x" + i);
            }

            Check.True(server.GetStatistics().Connections > 0, "they are there");
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private async Task DropAfterCallbacksAsync()
        {
            for (int i = 0; i < 10; i++)
            {
                MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
                connection.ConnectionDisconnected += (sender, told) => GC.KeepAlive(connection);
                var called = new TaskCompletionSource<bool>();
                var awaited = new TaskCompletionSource<bool>();
                MartletSubscription blocking = connection.Subscribe(
                    "x" + i, (Action<MartletMessage>)(message => called.TrySetResult(true)));
                MartletSubscription asynchronous = connection.Subscribe(
                    "x" + i,
                    message =>
                    {
                        awaited.TrySetResult(true);
                        return Task.CompletedTask;
                    });
                await connection.PublishAsync("x" + i, "y");
                await Check.InTimeAsync(Task.WhenAll(called.Task, awaited.Task));
                Collect();
                Check.True(server.GetStatistics().Connections > 0, "callbacks keep it");
                blocking.Unsubscribe();
                asynchronous.Unsubscribe();
            }
        }

        /// <summary>Answers their threads, one each. On a busy machine one may begin later than
        /// the server has started, and has not its signals blocked as ours have until then; those
        /// that earlier tests have left may end meanwhile.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static async Task<string[]> DropServersAsync()
        {
            string[] before = new Usage().NativeTasks;
            var servers = new List<MartletServer>();
            for (int i = 0; i < 5; i++)
            {
                servers.Add(MartletServer.Start());
            }

            string[] theirs = Array.Empty<string>();
            await Check.SoonAsync(
                () =>
                {
                    theirs = new Usage().NativeTasks.Except(before).ToArray();
                    return theirs.Length == 5;
                },
                "each has a thread");
            GC.KeepAlive(servers);
            return theirs;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void DropSubscriptions(MartletConnection connection)
        {
            for (int i = 0; i < 10; i++)
            {
                connection.SubscribeAsync("x" + i);
            }

            Check.Equal(10L, connection.GetStatistics().Subscriptions);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private void StartLoop(TaskCompletionSource<string> got)
        {
            string url = server.Url;
            Task.Run(async () =>
            {
                MartletConnection connection = await MartletConnection.ConnectAsync(url);
                await foreach (MartletMessage message in connection.SubscribeAsync("kept"))
                {
                    got.TrySetResult(message.Text);
                }
            });
        }

        private static bool CollectUntilGone(MartletServer server, long connections)
        {
            Collect();
            return server.GetStatistics().Connections == connections;
        }

        private static void Collect() => Usage.Collect();
    }
}
