// SPDX-License-Identifier: Apache-2.0
//
// Goal: the broker in the process, its options, log and statistics; what a connection tells when
// the broker goes and comes. Method: brokers of the test's own, asked from inside and over TCP.
using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Threading.Tasks;
using Martlet.Testing;

namespace Martlet.Tests
{
    public sealed class ServerTests
    {
        [Fact]
        public void WhatIsLinkedInIsTold()
        {
            foreach (string name in new[] { "OpenSSL", "libevent" })
            {
                Check.True(
                    char.IsDigit(MartletLibrary.LinkedVersions[name][0]), name + " has a version");
            }
        }

        [Fact]
        public async Task ListensOnAFreePort()
        {
            using MartletServer server = MartletServer.Start();
            using MartletServer other = MartletServer.Start();
            Check.True(server.Port > 0 && server.Port != other.Port, "ports of their own");
            Check.Equal("nats://127.0.0.1:" + server.Port, server.Url);
            Check.Equal("MartletServer[" + server.Url + "]", server.ToString());
            Check.Equal(0, server.MonitoringPort);
            await using MartletConnection tcp = await MartletConnection.ConnectAsync(server.Url);
            await using MartletConnection inside = await MartletConnection.ConnectAsync(server);
            MartletSubscription subscription = inside.SubscribeAsync("across");
            await inside.FlushAsync();
            await tcp.PublishAsync("across", "x");
            Check.Equal("x", (await subscription.NextAsync()).Text);
            MartletServerStatistics counted = server.GetStatistics();
            Check.Equal(2L, counted.Connections);
            Check.Equal(1L, counted.InMessages);
            Check.Equal(1L, counted.OutMessages);
            Check.True(counted.All.ContainsKey("slow_consumers"), "all that /varz has");
        }

        /// <summary>Somebody may listen there, or nobody: either says where it was.</summary>
        [Fact]
        public async Task ConnectsToTheUsualPort()
        {
            try
            {
                await using MartletConnection connection = await MartletConnection.ConnectAsync();
                Check.Equal("nats://127.0.0.1:4222", connection.ConnectedUrl);
            }
            catch (MartletNoServersException nobody)
            {
                Check.Contains("127.0.0.1:4222", nobody.Message);
            }
        }

        [Fact]
        public async Task ListensOnNoPort()
        {
            using MartletServer server = MartletServer.Start(
                new MartletServerOptions { Listen = false });
            Check.Equal(0, server.Port);
            Check.Equal(string.Empty, server.Url);
            Check.Equal("MartletServer[no port]", server.ToString());
            await using MartletConnection inside = await MartletConnection.ConnectAsync(server);
            await inside.FlushAsync();
        }

        [Fact]
        public void StartsAndStops()
        {
            using var server = new MartletServer(new MartletServerOptions { ServerName = "mine" });
            Check.Throws<MartletStateException>(() => _ = server.Port);
            Check.Equal("MartletServer[stopped]", server.ToString());
            server.Start();
            Check.Throws<MartletStateException>(() => server.Start());
            server.Stop();
            server.Stop();
            server.Start();
            var taken = new MartletServerOptions { Port = server.Port };
            Check.Contains(
                server.Port.ToString(),
                Check.Throws<MartletAddressInUseException>(
                    () => MartletServer.Start(taken)).Message);
            server.Dispose();
            server.Dispose();
            Check.Throws<MartletConnectionClosedException>(() => server.Start());
            Check.Equal("MartletServer[stopped]", server.ToString());
        }

        [Fact]
        public async Task TakesConfigurationText()
        {
            using MartletServer server = MartletServer.Start(new MartletServerOptions
            {
                Configuration = "max_payload: 1000\nserver_name: from_text",
            });
            await using MartletConnection connection =
                await MartletConnection.ConnectAsync(server.Url);
            Check.Equal(1000L, connection.MaxPayload);
            Check.Equal("from_text", connection.GetStatistics().ServerName);
        }

        [Fact]
        public async Task LogsToADelegate()
        {
            var lines = new ConcurrentQueue<(MartletLogLevel Level, string Line)>();
            using MartletServer server = MartletServer.Start(new MartletServerOptions
            {
                LogLevel = MartletLogLevel.Debug,
                Log = (level, line) =>
                {
                    lines.Enqueue((level, line));
                    throw new InvalidOperationException("a delegate that throws");
                },
            });
            await using (await MartletConnection.ConnectAsync(server.Url))
            {
                await Check.SoonAsync(
                    () => lines.Any(each => each.Level == MartletLogLevel.Debug), "a client came");
            }

            server.Stop();
            Check.True(
                lines.Any(each => each.Level == MartletLogLevel.Information), "what it tells");
        }

        [Fact]
        public async Task AsksForCredentials()
        {
            using MartletServer server = MartletServer.Start(
                new MartletServerOptions { User = "ann", Password = "secret" });
            await Check.ThrowsAsync<MartletAuthorizationException>(
                () => MartletConnection.ConnectAsync(server.Url));
            var right = new MartletConnectionOptions
            {
                Url = server.Url,
                User = "ann",
                Password = "secret",
            };
            await using MartletConnection connection =
                await MartletConnection.ConnectAsync(right);
            await connection.FlushAsync();
            string inUrl = server.Url.Replace("//", "//ann:secret@");
            await using MartletConnection other = await MartletConnection.ConnectAsync(inUrl);
            await other.FlushAsync();
        }

        [Fact]
        public async Task ReconnectsAndTells()
        {
            using MartletServer server = StartAgain(PortThatWasOurs());
            foreach (bool inside in new[] { false, true })
            {
                await ReconnectAsync(server, inside);
            }
        }

        [Fact]
        public async Task GivesUpWhenTold()
        {
            using MartletServer server = MartletServer.Start();
            await using MartletConnection connection = await MartletConnection.ConnectAsync(
                new MartletConnectionOptions { Url = server.Url, Reconnect = false });
            var closed = new TaskCompletionSource<MartletException?>();
            connection.ConnectionClosed +=
                (sender, arguments) => closed.TrySetResult(arguments.Failure);
            server.Stop();
            MartletException? reason = await Check.InTimeAsync(closed.Task);
            Check.True(reason != null, "it says why");
            Check.Equal(MartletConnectionState.Closed, connection.State);
            await Check.ThrowsAsync<MartletConnectionClosedException>(
                async () => await connection.PublishAsync("x", "y"));
        }

        [Fact]
        public async Task NobodyThere()
        {
            var options = new MartletConnectionOptions
            {
                Url = "nats://127.0.0.1:" + PortThatWasOurs(),
            };
            await Check.ThrowsAsync<MartletNoServersException>(
                () => MartletConnection.ConnectAsync(options));
            options.RetryOnInitialConnect = true;
            using (var stop = new System.Threading.CancellationTokenSource(100))
            {
                await Check.ThrowsAsync<OperationCanceledException>(
                    () => MartletConnection.ConnectAsync(options, stop.Token));
            }
        }

        [Fact]
        public async Task FixturesAreForOneTest()
        {
            string url;
            await using (var fixture = new MartletServerFixture())
            {
                url = fixture.Url;
                MartletConnection first = await fixture.ConnectAsync();
                MartletConnection second = await fixture.ConnectAsync();
                MartletSubscription subscription = first.SubscribeAsync("x");
                await first.FlushAsync();
                await second.PublishAsync("x", "y");
                Check.Equal("y", (await subscription.NextAsync()).Text);
            }

            await Check.ThrowsAsync<MartletNoServersException>(
                () => MartletConnection.ConnectAsync(url));
            new MartletServerFixture(new MartletServerOptions { Listen = false }).Dispose();
        }

        private static async Task ReconnectAsync(MartletServer server, bool inside)
        {
            var options = new MartletConnectionOptions
            {
                ReconnectWait = TimeSpan.FromMilliseconds(20),
                ReconnectJitter = TimeSpan.Zero,
            };
            if (!inside)
            {
                options.Url = server.Url;
            }

            string order = string.Empty;
            options.BeforeConnect = made =>
            {
                made.ConnectionOpened += (sender, each) => order += "opened ";
                made.ConnectionDisconnected += (sender, each) => order += "lost ";
            };
            await using MartletConnection connection = inside
                ? await MartletConnection.ConnectAsync(server, options)
                : await MartletConnection.ConnectAsync(options);
            var told = new ConcurrentQueue<string>();
            connection.ConnectionDisconnected += (sender, each) => told.Enqueue("disconnected");
            connection.ConnectionOpened += (sender, each) => told.Enqueue("opened");
            MartletSubscription subscription = connection.SubscribeAsync("again");
            await connection.FlushAsync();
            server.Stop();
            await Check.SoonAsync(() => told.Contains("disconnected"), "the loss is told");
            await connection.PublishAsync("again", "kept in the buffer");
            server.Start();
            await Check.SoonAsync(() => told.Contains("opened"), "the return is told");
            MartletMessage message = await Check.InTimeAsync(subscription.NextAsync().AsTask());
            Check.Equal("kept in the buffer", message.Text);
            Check.Equal(1L, connection.GetStatistics().Reconnects);
            await Check.SoonAsync(
                () => order == "opened lost opened ", "each event from the first on: " + order);
        }

        private static int PortThatWasOurs()
        {
            using MartletServer server = MartletServer.Start();
            return server.Port;
        }

        private static MartletServer StartAgain(int port) =>
            MartletServer.Start(new MartletServerOptions { Port = port });
    }
}
