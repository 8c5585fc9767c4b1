// SPDX-License-Identifier: Apache-2.0
//
// Goal: whatever a program gives that cannot be is an exception that names it; the connection and
// its other subscriptions go on. Method: each is tried on a connection that must still work after.
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class BadInputTests : IDisposable
    {
        private readonly MartletServer server = MartletServer.Start();

        public void Dispose() => server.Dispose();

        [Fact]
        public async Task Nulls()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            var calls = new Dictionary<string, Func<object?>>
            {
                ["url"] = () => MartletConnection.ConnectAsync((string)null!),
                ["options"] = () => MartletConnection.ConnectAsync((MartletConnectionOptions)null!),
                ["server"] = () => MartletConnection.ConnectAsync((MartletServer)null!),
                ["subject"] = () => connection.SubscribeAsync(null!),
                ["callback"] = () => connection.Subscribe("x", (Action<MartletMessage>)null!),
                ["text"] = () => connection.PublishAsync("x", (string)null!).AsTask(),
                ["name"] = () => { new MartletHeaders().Add(null!, "x"); return null; },
                ["value"] = () => { new MartletHeaders().Add("x", null!); return null; },
            };
            foreach (KeyValuePair<string, Func<object?>> call in calls)
            {
                ArgumentNullException error =
                    Check.Throws<ArgumentNullException>(() => call.Value());
                Check.Equal(call.Key, error.ParamName);
            }

            Check.Throws<ArgumentNullException>(() => _ = connection.PublishAsync(null!));
            await Check.ThrowsAsync<ArgumentNullException>(() => connection.RequestAsync(null!));
            await WorksAsync(connection);
        }

        [Fact]
        public async Task Subjects()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            foreach (string subject in new[] { "", "a b", "a..b", ".a", "a.", "a\r\nb" })
            {
                Check.Throws<MartletBadSubjectException>(
                    () => _ = connection.PublishAsync(subject, "x"), "a publish to " + subject);
                Check.Throws<MartletBadSubjectException>(
                    () => connection.SubscribeAsync(subject), "subscribe to '" + subject + "'");
                await Check.ThrowsAsync<MartletBadSubjectException>(
                    () => connection.RequestAsync(subject, "x"));
            }

            Check.Throws<MartletBadSubjectException>(
                () => _ = connection.PublishAsync("a.*", "x"));
            Check.Throws<MartletBadSubjectException>(
                () => _ = connection.PublishAsync("a", "x", replyTo: "b c"));
            Check.Contains("two words", Check.Throws<MartletInvalidArgumentException>(
                () => connection.SubscribeAsync("a", "two words")).Message);
            string huge = new string('x', 5_000_000);
            Check.Throws<MartletException>(() => _ = connection.PublishAsync(huge, "x"));
            await WorksAsync(connection);
        }

        [Fact]
        public async Task LoneSurrogates()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            const string Broken = "a\ud800b";
            foreach (string text in new[] { Broken, Broken + new string('x', 1000) })
            {
                Check.Contains("subject", Check.Throws<MartletInvalidArgumentException>(
                    () => _ = connection.PublishAsync(text, "x")).Message);
                Check.Contains("subject", Check.Throws<MartletInvalidArgumentException>(
                    () => connection.SubscribeAsync(text)).Message);
                Check.Contains("queueGroup", Check.Throws<MartletInvalidArgumentException>(
                    () => connection.SubscribeAsync("a", text)).Message);
                Check.Contains("replyTo", Check.Throws<MartletInvalidArgumentException>(
                    () => _ = connection.PublishAsync("a", "x", replyTo: text)).Message);
                Check.Contains("text", Check.Throws<MartletInvalidArgumentException>(
                    () => _ = connection.PublishAsync("a", text)).Message);
                Check.Contains("Name", Check.Throws<MartletInvalidArgumentException>(
                    () => MartletConnection.ConnectAsync(
                        server, new MartletConnectionOptions { Name = text })).Message);
            }

            await WorksAsync(connection);
        }

        [Fact]
        public async Task BytesThatAreNoText()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            MartletSubscription subscription = connection.SubscribeAsync("bytes");
            MartletSubscription named = connection.SubscribeAsync("a\0b");
            await connection.PublishAsync("a\0b", "\0");
            MartletMessage nul = await Check.InTimeAsync(named.NextAsync().AsTask());
            Check.Equal("a\0b", nul.Subject, "NUL is a character like others");
            Check.Equal("\0", nul.Text);
            byte[] bytes = { 0xff, 0, 0xc3, 0x28 };
            await connection.PublishAsync("bytes", bytes);
            MartletMessage message = await subscription.NextAsync();
            Check.True(message.Data.Span.SequenceEqual(bytes), "as sent");
            Check.True(message.Text.Length > 0, "read with replacements");
        }

        [Fact]
        public async Task Headers()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            foreach (string name in new[] { "", "a:b", "a b", "a\r\nb" })
            {
                Check.Equal("name", Check.Throws<ArgumentException>(
                    () => new MartletHeaders().Add(name, "x")).ParamName);
            }

            Check.Equal("value", Check.Throws<ArgumentException>(
                () => new MartletHeaders().Add("x", "a\nb")).ParamName);
            var broken = new MartletHeaders { { "x", "\ud800" } };
            Check.Contains("headers", Check.Throws<MartletInvalidArgumentException>(
                () => _ = connection.PublishAsync("a", "x", broken)).Message);
            await WorksAsync(connection);
        }

        [Fact]
        public async Task Sizes()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            Check.Contains("1048577", Check.Throws<MartletMaxPayloadException>(
                () => _ = connection.PublishAsync("x", new byte[1_048_577]))
                .Message.Replace(",", string.Empty));
            MartletSubscription subscription = connection.SubscribeAsync("x");
            Check.Equal("messagesMax", Check.Throws<ArgumentOutOfRangeException>(
                () => subscription.AutoUnsubscribe(0)).ParamName);
            Check.Throws<ArgumentOutOfRangeException>(
                () => connection.SubscribeAsync(
                    "x", options: new MartletSubscriptionOptions { MaxMessages = -1 }));
            foreach (long wrong in new[] { -1, long.MinValue })
            {
                Check.Contains("PendingMessagesMax", Check.Throws<MartletOptionsException>(
                    () => connection.SubscribeAsync(
                        "x",
                        options: new MartletSubscriptionOptions { PendingMessagesMax = wrong }))
                    .Message);
            }

            Check.Equal("timeout", (await Check.ThrowsAsync<ArgumentOutOfRangeException>(
                () => connection.RequestAsync("x", "y", timeout: TimeSpan.FromTicks(-5))))
                .ParamName);
            Check.Equal("timeout", (await Check.ThrowsAsync<ArgumentOutOfRangeException>(
                () => connection.FlushAsync(TimeSpan.FromSeconds(-5)))).ParamName);
            await connection.FlushAsync(TimeSpan.MaxValue);
            await WorksAsync(connection);
        }

        [Fact]
        public void Options()
        {
            Check.Contains("Port", Check.Throws<MartletOptionsException>(
                () => new MartletServer(new MartletServerOptions { Port = 70_000 })).Message);
            Check.Contains("PingInterval", Check.Throws<MartletOptionsException>(
                () => new MartletServer(new MartletServerOptions
                {
                    PingInterval = TimeSpan.FromSeconds(-1),
                })).Message);
            Check.Contains("ServerName", Check.Throws<MartletOptionsException>(
                () => new MartletServer(
                    new MartletServerOptions { ServerName = "two words" })).Message);
            Check.Contains("no_such_key", Check.Throws<MartletOptionsException>(
                () => new MartletServer(
                    new MartletServerOptions { Configuration = "no_such_key: 1" })).Message);
            var connection = new MartletConnectionOptions { ConnectTimeout = TimeSpan.Zero };
            Check.Contains("ConnectTimeout", Check.Throws<MartletOptionsException>(
                () => MartletConnection.ConnectAsync(connection)).Message);
            connection = new MartletConnectionOptions { Url = "http://x" };
            Check.Contains("Url", Check.Throws<MartletOptionsException>(
                () => MartletConnection.ConnectAsync(connection)).Message);
            Check.Contains("Url", Check.Throws<MartletOptionsException>(
                () => MartletConnection.ConnectAsync(server, connection)).Message);
            connection.Servers = new[] { "nats://x" };
            Check.Contains("Servers", Check.Throws<MartletOptionsException>(
                () => MartletConnection.ConnectAsync(connection)).Message);
            connection = new MartletConnectionOptions { Servers = new string[] { null! } };
            Check.Equal("Servers", Check.Throws<ArgumentNullException>(
                () => MartletConnection.ConnectAsync(connection)).ParamName);
        }

        [Fact]
        public async Task ClosedThings()
        {
            MartletConnection connection = await MartletConnection.ConnectAsync(server);
            MartletSubscription subscription = connection.SubscribeAsync("x");
            await connection.DisposeAsync();
            await connection.DisposeAsync();
            connection.Dispose();
            Check.Throws<MartletConnectionClosedException>(
                () => _ = connection.PublishAsync("x", "y"));
            Check.Throws<MartletConnectionClosedException>(() => connection.SubscribeAsync("x"));
            Check.Throws<MartletConnectionClosedException>(
                () => connection.Subscribe("x", message => { }));
            Check.Throws<MartletConnectionClosedException>(() => connection.NewInbox());
            await Check.ThrowsAsync<MartletConnectionClosedException>(
                () => connection.RequestAsync("x", "y"));
            await Check.ThrowsAsync<MartletConnectionClosedException>(
                () => connection.FlushAsync());
            await Check.ThrowsAsync<MartletConnectionClosedException>(
                () => subscription.NextAsync().AsTask());
            Check.Equal(MartletConnectionState.Closed, connection.State);
            Check.True(connection.GetStatistics().ClientId > 0, "the last ones");
            Check.Throws<MartletConnectionClosedException>(() => subscription.Unsubscribe());
            subscription.Dispose();
            subscription.Dispose();
            Check.Throws<MartletConnectionClosedException>(() => subscription.AutoUnsubscribe(1));

            var stopped = MartletServer.Start();
            stopped.Dispose();
            Check.Throws<MartletConnectionClosedException>(
                () => MartletConnection.ConnectAsync(stopped));
            Check.Throws<MartletConnectionClosedException>(() => _ = stopped.Url);
            Check.Throws<MartletConnectionClosedException>(() => stopped.GetStatistics());
        }

        [Fact]
        public async Task TwoReadersOfOneSubscription()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            MartletSubscription subscription = connection.SubscribeAsync("x");
            Task<MartletMessage> first = subscription.NextAsync().AsTask();
            await Check.ThrowsAsync<MartletStateException>(
                () => subscription.NextAsync().AsTask());
            Check.Throws<MartletStateException>(() => subscription.GetAsyncEnumerator());
            await connection.PublishAsync("x", "y");
            Check.Equal("y", (await Check.InTimeAsync(first)).Text);
            MartletSubscription called = connection.Subscribe("x", message => { });
            Check.Throws<MartletStateException>(() => called.GetAsyncEnumerator());
            await Check.ThrowsAsync<MartletStateException>(() => called.NextAsync().AsTask());
            MartletMessage silent = await NextAsync(connection);
            Check.Throws<MartletBadSubjectException>(() => _ = silent.ReplyAsync("z"));
        }

        [Fact]
        public async Task ThrowingCallbacks()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            var heard = new TaskCompletionSource<Exception>();
            connection.ErrorOccurred += (sender, arguments) =>
            {
                heard.TrySetResult(arguments.Error);
                throw new InvalidOperationException("a handler that throws");
            };
            int called = 0;
            connection.Subscribe("x", (Action<MartletMessage>)(message =>
            {
                called++;
                throw new FormatException("mine");
            }));
            connection.Subscribe("x", async message =>
            {
                await Task.Yield();
                throw new FormatException("mine");
            });
            await connection.PublishAsync("x", "1");
            await connection.PublishAsync("x", "2");
            Exception error = await Check.InTimeAsync(heard.Task);
            Check.Equal("mine", error.Message);
            await Check.SoonAsync(() => called == 2, "the next one is called too");
            await WorksAsync(connection);
        }

        [Fact]
        public async Task CancelledBefore()
        {
            await using MartletConnection connection = await MartletConnection.ConnectAsync(server);
            var stopped = new CancellationToken(true);
            await Check.ThrowsAsync<OperationCanceledException>(
                () => MartletConnection.ConnectAsync(stopped));
            await Check.ThrowsAsync<OperationCanceledException>(
                () => MartletConnection.ConnectAsync(server.Url, stopped));
            await Check.ThrowsAsync<OperationCanceledException>(
                () => connection.PublishAsync("x", "y", cancellationToken: stopped).AsTask());
            await Check.ThrowsAsync<OperationCanceledException>(
                () => connection.RequestAsync("x", "y", cancellationToken: stopped));
            await Check.ThrowsAsync<OperationCanceledException>(
                () => connection.FlushAsync(null, stopped));
            await WorksAsync(connection);
        }

        private static async Task<MartletMessage> NextAsync(MartletConnection connection)
        {
            await using MartletSubscription subscription = connection.SubscribeAsync("next");
            await connection.PublishAsync("next", "here");
            return await Check.InTimeAsync(subscription.NextAsync().AsTask());
        }

        private static async Task WorksAsync(MartletConnection connection) =>
            Check.Equal("here", (await NextAsync(connection)).Text);
    }
}
