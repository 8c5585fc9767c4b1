// SPDX-License-Identifier: Apache-2.0
//
// Goal: what awaits an answer or a message may do anything where it goes on, also block: nobody
// else waits for it. Method: connections that have had so many answers that the pump goes on with
// the program's code on its own thread; then such code blocks, in each way that the package knows.
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class ContinuationTests : IDisposable
    {
        private readonly MartletServer server = MartletServer.Start();
        private readonly int workersMin;
        private readonly int portsMin;

        /// <summary>What blocks on the pool must find threads there.</summary>
        public ContinuationTests()
        {
            ThreadPool.GetMinThreads(out workersMin, out portsMin);
            ThreadPool.SetMinThreads(16, portsMin);
        }

        public void Dispose()
        {
            server.Dispose();
            ThreadPool.SetMinThreads(workersMin, portsMin);
        }

        [Fact]
        public async Task BlockingRequestsAfterAnswers()
        {
            await using MartletConnection connection = await WarmAsync();
            Task[] users = Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
            {
                for (int n = 0; n < 50; n++)
                {
                    Check.Equal("a" + n, (await connection.RequestAsync("echo", "a" + n)).Text);
                    Task<MartletMessage> second = connection.RequestAsync("echo", "b" + n);
                    Check.Equal("b" + n, second.GetAwaiter().GetResult().Text);
                    connection.FlushAsync().GetAwaiter().GetResult();
                }
            })).ToArray();
            await Check.InTimeAsync(Task.WhenAll(users), 50);
        }

        /// <summary>Not on the pool; also after many threads have waited at once.</summary>
        [Fact(Seconds = 120)]
        public async Task AnswersGoOnWhereTheyCame()
        {
            await using MartletConnection connection = await WarmAsync();
            for (int round = 0; round < 5; round++)
            {
                Task<int>[] users = Enumerable.Range(0, 4)
                    .Select(i => Task.Run(() => CountOffThePoolAsync(connection, 500)))
                    .ToArray();
                await Check.InTimeAsync(Task.WhenAll(users), 60);
                int alone = await Task.Run(() => CountOffThePoolAsync(connection, 500));
                Check.True(alone > 0, "some of 500 answers go on where they came");
            }
        }

        private static async Task<int> CountOffThePoolAsync(MartletConnection connection, int count)
        {
            int elsewhere = 0;
            for (int n = 0; n < count; n++)
            {
                await connection.RequestAsync("echo", "x").ConfigureAwait(false);
                elsewhere += Thread.CurrentThread.IsThreadPoolThread ? 0 : 1;
            }

            return elsewhere;
        }

        /// <summary>Each of many that have their answers blocks until the last one has its own.
        /// </summary>
        [Fact]
        public async Task AllBlockUntilAllHaveAnswers()
        {
            await using MartletConnection connection = await WarmAsync();
            const int Users = 4;
            for (int round = 0; round < 20; round++)
            {
                using var all = new CountdownEvent(Users);
                Task[] users = Enumerable.Range(0, Users).Select(i => Task.Run(async () =>
                {
                    await connection.RequestAsync("echo", "x");
                    all.Signal();
                    Check.True(all.Wait(TimeSpan.FromSeconds(30)), "all have their answers");
                })).ToArray();
                await Check.InTimeAsync(Task.WhenAll(users), 40);
            }
        }

        [Fact]
        public async Task ALoopThatBlocksKeepsNobodyWaiting()
        {
            await using MartletConnection connection = await WarmAsync();
            using var go = new ManualResetEventSlim();
            var begun = new TaskCompletionSource<bool>(
                TaskCreationOptions.RunContinuationsAsynchronously);
            MartletSubscription slow = connection.SubscribeAsync("slow");
            MartletSubscription quick = connection.SubscribeAsync("quick");
            Task loop = Task.Run(async () =>
            {
                await foreach (MartletMessage message in slow)
                {
                    begun.SetResult(true);
                    Check.True(go.Wait(TimeSpan.FromSeconds(30)), "let go");
                    break;
                }
            });
            await connection.PublishAsync("slow", "x");
            await Check.InTimeAsync(begun.Task);
            for (int i = 0; i < 100; i++)
            {
                await connection.PublishAsync("quick", "y" + i);
                Check.Equal(
                    "y" + i, (await Check.InTimeAsync(quick.NextAsync().AsTask())).Text);
                await Check.InTimeAsync(connection.RequestAsync("echo", "z"));
            }

            Check.True(!loop.IsCompleted, "it blocks all the while");
            go.Set();
            await Check.InTimeAsync(loop);
        }

        [Fact]
        public async Task DisposeAfterAnAnswer()
        {
            for (int i = 0; i < 10; i++)
            {
                MartletConnection connection = await WarmAsync();
                Task ended = Task.Run(async () =>
                {
                    await connection.RequestAsync("echo", "x");
                    connection.Dispose();
                });
                await Check.InTimeAsync(ended, 20);
                Check.Equal(MartletConnectionState.Closed, connection.State);
            }

            await Check.SoonAsync(() => server.GetStatistics().Connections == 0, "gone");
        }

        /// <summary>Who cancels does not run what had waited.</summary>
        [Fact]
        public async Task CancelReturnsAtOnce()
        {
            await using MartletConnection connection = await WarmAsync();
            MartletSubscription silent = connection.SubscribeAsync("silent");
            MartletSubscription never = connection.SubscribeAsync("never");
            using var go = new ManualResetEventSlim();
            using var stop = new CancellationTokenSource();
            Task[] blocked =
            {
                BlockAfterAsync(connection.RequestAsync(
                    "silent", "?", timeout: TimeSpan.FromMinutes(5), cancellationToken: stop.Token),
                    go),
                BlockAfterAsync(never.NextAsync(stop.Token).AsTask(), go),
            };
            await Task.Run(() => stop.Cancel());
            go.Set();
            await Check.InTimeAsync(Task.WhenAll(blocked));
            Check.Equal("?", (await silent.NextAsync()).Text);
        }

        [Fact]
        public async Task AsynchronousCallbacksAreOnThePool()
        {
            await using MartletConnection connection = await WarmAsync();
            int left = 200;
            int elsewhere = 0;
            var done = new TaskCompletionSource<bool>(
                TaskCreationOptions.RunContinuationsAsynchronously);
            connection.Subscribe("called", message =>
            {
                elsewhere += Thread.CurrentThread.IsThreadPoolThread ? 0 : 1;
                if (--left == 0)
                {
                    done.SetResult(true);
                }

                return Task.CompletedTask;
            });
            for (int i = 0; i < 200; i++)
            {
                await connection.PublishAsync("called", "x");
                await connection.FlushAsync();
            }

            await Check.InTimeAsync(done.Task);
            Check.Equal(0, elsewhere, "calls on another thread");
        }

        /// <summary>A connection with an echo that has answered often.</summary>
        private async Task<MartletConnection> WarmAsync()
        {
            MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
            connection.Subscribe("echo", (Action<MartletMessage>)(
                message => _ = message.ReplyAsync(message.Data)));
            for (int i = 0; i < 50; i++)
            {
                Check.Equal("x" + i, (await connection.RequestAsync("echo", "x" + i)).Text);
            }

            return connection;
        }

        private static async Task BlockAfterAsync(Task task, ManualResetEventSlim go)
        {
            try
            {
                await task.ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                Check.True(go.Wait(TimeSpan.FromSeconds(30)), "Cancel has returned");
                return;
            }

            throw new CheckException("it was cancelled");
        }
    }
}
