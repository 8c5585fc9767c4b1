// SPDX-License-Identifier: Apache-2.0
//
// Goal: whatever a callback does, nothing waits for itself and nothing is lost: close, throw,
// unsubscribe and stop in callbacks of both kinds, alone and while another thread does the same.
// Method: each end is waited for with a bound far below the ten seconds after which the package
// itself would give up waiting.
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class CallbackTests : IDisposable
    {
        private const int Messages = 200;

        private readonly MartletServer server = MartletServer.Start();

        public void Dispose() => server.Dispose();

        [Fact]
        public async Task AnAsynchronousCallbackDisposes()
        {
            MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
            var done = new TaskCompletionSource<bool>();
            connection.Subscribe("x", async message =>
            {
                await Task.Yield();
                await connection.DisposeAsync();
                done.SetResult(true);
            });
            await connection.PublishAsync("x", "y");
            await Check.InTimeAsync(done.Task, 5);
            await Check.InTimeAsync(connection.DisposeAsync().AsTask(), 5);
            Check.Equal(MartletConnectionState.Closed, connection.State);
        }

        [Fact]
        public async Task TwoEndsAtOnce()
        {
            foreach (bool isAsync in new[] { false, true })
            {
                MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
                var entered = new TaskCompletionSource<bool>();
                var closing = new TaskCompletionSource<bool>();
                var left = new TaskCompletionSource<bool>();
                if (isAsync)
                {
                    connection.Subscribe("x", async message =>
                    {
                        entered.SetResult(true);
                        await closing.Task;
                        await connection.DisposeAsync();
                        left.SetResult(true);
                    });
                }
                else
                {
                    connection.Subscribe("x", (Action<MartletMessage>)(message =>
                    {
                        entered.SetResult(true);
                        closing.Task.Wait();
                        Task.Run(() => connection.Dispose()).Wait();
                        left.SetResult(true);
                    }));
                }

                await connection.PublishAsync("x", "y");
                await Check.InTimeAsync(entered.Task);
                Task other = Task.Run(() => connection.Dispose());
                await Check.SoonAsync(
                    () => connection.State == MartletConnectionState.Closed, "the other closes");
                Check.True(!left.Task.IsCompleted && !other.IsCompleted, "it waits for callbacks");
                closing.SetResult(true);
                await Check.InTimeAsync(left.Task, 5);
                await Check.InTimeAsync(other, 5);
            }
        }

        [Fact]
        public async Task DisposeWaitsForCallbacksOfBothKinds()
        {
            for (int round = 0; round < 20; round++)
            {
                MartletConnection connection = await MartletConnection.ConnectAsync(server);
                int blocking = 0;
                int awaiting = 0;
                connection.Subscribe("x", (Action<MartletMessage>)(message => blocking++));
                connection.Subscribe("x", async message =>
                {
                    await Task.Yield();
                    awaiting++;
                });
                for (int i = 0; i < Messages; i++)
                {
                    await connection.PublishAsync("x", "y");
                }

                await connection.FlushAsync();
                await connection.DisposeAsync();
                Check.Equal(Messages, Volatile.Read(ref blocking), "callbacks");
                Check.Equal(Messages, Volatile.Read(ref awaiting), "asynchronous ones");
            }
        }

        [Fact]
        public async Task DrainWaitsForCallbacksOfBothKinds()
        {
            for (int round = 0; round < 20; round++)
            {
                MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
                int blocking = 0;
                int awaiting = 0;
                int looped = 0;
                connection.Subscribe("x", (Action<MartletMessage>)(message => blocking++));
                connection.Subscribe("x", async message =>
                {
                    await Task.Yield();
                    awaiting++;
                });
                MartletSubscription subscription = connection.SubscribeAsync("x");
                Task loop = Task.Run(async () =>
                {
                    await foreach (MartletMessage message in subscription)
                    {
                        looped++;
                    }
                });
                for (int i = 0; i < Messages; i++)
                {
                    await connection.PublishAsync("x", "y");
                }

                await Check.InTimeAsync(connection.DrainAsync());
                await Check.InTimeAsync(loop);
                Check.Equal(Messages, Volatile.Read(ref blocking), "callbacks");
                Check.Equal(Messages, Volatile.Read(ref awaiting), "asynchronous ones");
                Check.Equal(Messages, Volatile.Read(ref looped), "the loop");
            }
        }

        [Fact]
        public async Task UnsubscribeInsideAnAsynchronousCallback()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            int called = 0;
            MartletSubscription? subscription = null;
            var made = new TaskCompletionSource<bool>();
            subscription = connection.Subscribe("x", async message =>
            {
                await made.Task;
                called++;
                subscription!.Unsubscribe();
            });
            made.SetResult(true);
            for (int i = 0; i < 10; i++)
            {
                await connection.PublishAsync("x", "y");
            }

            await connection.FlushAsync();
            await Check.SoonAsync(() => Volatile.Read(ref called) > 0, "called");
            await Task.Delay(50);
            Check.Equal(1, called);
            Check.Equal(0L, connection.GetStatistics().Subscriptions);
        }

        [Fact]
        public async Task AnotherThreadEndsTheWait()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            for (int round = 0; round < 500; round++)
            {
                MartletSubscription subscription = connection.SubscribeAsync("never");
                Task<MartletMessage> waiting =
                    Task.Run(() => subscription.NextAsync().AsTask());
                if (round % 2 == 0)
                {
                    await Task.Yield();
                }

                subscription.Dispose();
                await Check.ThrowsAsync<MartletConnectionClosedException>(
                    () => Check.InTimeAsync(waiting, 5));
            }
        }

        [Fact]
        public async Task ALogDelegateStopsTheServerBesideAnother()
        {
            MartletServer? own = null;
            var told = new TaskCompletionSource<bool>();
            var go = new TaskCompletionSource<bool>();
            var stopped = new TaskCompletionSource<bool>();
            int lines = 0;
            own = new MartletServer(new MartletServerOptions
            {
                Log = (level, line) =>
                {
                    if (Interlocked.Increment(ref lines) == 1)
                    {
                        told.SetResult(true);
                        go.Task.Wait();
                        own!.Stop();
                        stopped.SetResult(true);
                    }
                },
            });
            own.Start();
            await Check.InTimeAsync(told.Task);
            Task other = Task.Run(() => own.Stop());
            await Check.SoonAsync(() => IsStopped(own), "the other stops it");
            go.SetResult(true);
            await Check.InTimeAsync(stopped.Task);
            await Check.InTimeAsync(other);
            await Check.InTimeAsync(Task.WhenAll(
                Enumerable.Range(0, 4).Select(i => Task.Run(() => own.Dispose()))));
        }

        private static bool IsStopped(MartletServer server)
        {
            try
            {
                return server.Port == 0;
            }
            catch (MartletStateException)
            {
                return true;
            }
        }
    }
}
