// SPDX-License-Identifier: Apache-2.0
//
// Goal: a CancellationToken ends every wait of the package, and leaves a connection that works.
// Method: each wait is one that would not end by itself within the test.
using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class CancellationTests : IDisposable
    {
        private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

        private readonly MartletServer server = MartletServer.Start();

        public void Dispose() => server.Dispose();

        [Fact]
        public async Task Connect()
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start(); // Accepts, and says nothing.
            try
            {
                var options = new MartletConnectionOptions
                {
                    Url = "nats://" + listener.LocalEndpoint,
                    ConnectTimeout = Long,
                };
                await EndsAsync(stop => MartletConnection.ConnectAsync(options, stop));
            }
            finally
            {
                listener.Stop();
            }
        }

        [Fact]
        public async Task RequestsAndTheirAnswers()
        {
            await using MartletConnection connection =
                await MartletConnection.ConnectAsync(server.Url);
            MartletSubscription silent = connection.SubscribeAsync("silent");
            await EndsAsync(stop => connection.RequestAsync(
                "silent", "?", timeout: Long, cancellationToken: stop));
            await EndsAsync(async stop =>
            {
                await foreach (MartletMessage answer in connection.RequestManyAsync(
                    "silent", timeout: Long, cancellationToken: stop))
                {
                    Check.True(false, "nobody answers, but " + answer.Text);
                }
            });
            await WorksAsync(connection);
            GC.KeepAlive(silent);
        }

        [Fact]
        public async Task Messages()
        {
            await using MartletConnection connection =
                await MartletConnection.ConnectAsync(server.Url);
            MartletSubscription subscription = connection.SubscribeAsync("never");
            await EndsAsync(stop => subscription.NextAsync(stop).AsTask());
            await EndsAsync(stop => LoopAsync(connection.SubscribeAsync("never"), stop));
            await EndsAsync(stop => LoopAsync(
                connection.SubscribeAsync("never", cancellationToken: stop), default));

            // Each of two tokens ends the loop.
            using (var other = new CancellationTokenSource())
            {
                await EndsAsync(stop => LoopAsync(
                    connection.SubscribeAsync("never", cancellationToken: stop),
                    other.Token));
                await EndsAsync(stop => LoopAsync(
                    connection.SubscribeAsync("never", cancellationToken: other.Token),
                    stop));
            }

            await WorksAsync(connection);
        }

        [Fact]
        public async Task Drains()
        {
            MartletConnection connection = await MartletConnection.ConnectAsync(server.Url);
            MartletSubscription unread = connection.SubscribeAsync("unread");
            await connection.PublishAsync("unread", "x");
            await connection.FlushAsync();
            await Check.SoonAsync(
                () => unread.GetStatistics().PendingMessages == 1, "it has come");
            await EndsAsync(stop => unread.DrainAsync(stop));
            Check.Equal("x", (await unread.NextAsync()).Text);

            MartletSubscription second = connection.SubscribeAsync("unread");
            await connection.PublishAsync("unread", "y");
            await connection.FlushAsync();
            await Check.SoonAsync(
                () => second.GetStatistics().PendingMessages == 1, "it has come");
            await EndsAsync(stop => connection.DrainAsync(Long, stop));
            Check.Equal(MartletConnectionState.Closed, connection.State);
            Check.Equal("y", (await second.NextAsync()).Text);
        }

        [Fact]
        public async Task WaitsForAServerThatIsSilent()
        {
            using Broker broker = Broker.Start(BrokerKind.NatsServer);
            await using MartletConnection connection = await broker.ConnectAsync(
                new MartletConnectionOptions { PendingBytesMax = 1024 * 1024 });
            broker.Pause();
            try
            {
                await EndsAsync(stop => connection.FlushAsync(Long, stop));
                await EndsAsync(stop => connection.PingAsync(Long, stop));
                byte[] data = new byte[64 * 1024];
                await EndsAsync(async stop =>
                {
                    while (true)
                    {
                        await connection.PublishAsync("full", data, cancellationToken: stop);
                    }
                });
                await EndsAsync(stop => connection.RequestAsync(
                    "full", new byte[512 * 1024], timeout: Long, cancellationToken: stop));
                await Check.ThrowsAsync<MartletTimeoutException>(() => connection.RequestAsync(
                    "full", new byte[512 * 1024], timeout: TimeSpan.FromMilliseconds(50)));
            }
            finally
            {
                broker.Resume();
            }

            await WorksAsync(connection);
        }

        private static async Task LoopAsync(
            MartletSubscription subscription, CancellationToken cancellation)
        {
            await foreach (MartletMessage message in subscription.WithCancellation(cancellation))
            {
                Check.True(false, "nothing comes, but " + message.Text);
            }
        }

        /// <summary>It waits until its token is cancelled, and then ends.</summary>
        private static async Task EndsAsync(Func<CancellationToken, Task> wait)
        {
            using var stop = new CancellationTokenSource();
            Task waiting = wait(stop.Token);
            await Task.WhenAny(waiting, Task.Delay(50));
            Check.True(!waiting.IsCompleted, "it waits: " + waiting.Exception);
            stop.Cancel();
            await Check.ThrowsAsync<OperationCanceledException>(
                () => Check.InTimeAsync(waiting, 20));
        }

        private static async Task WorksAsync(MartletConnection connection)
        {
            MartletSubscription subscription = connection.SubscribeAsync("works");
            await connection.PublishAsync("works", "still");
            Check.Equal("still", (await Check.InTimeAsync(
                subscription.NextAsync().AsTask(), 30)).Text);
        }
    }
}
