// SPDX-License-Identifier: Apache-2.0
//
// Goal: what a connection does with messages, over every kind of broker. Method: a broker for each
// test, and what comes back is compared with what was sent.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class MessageTests
    {
        [Fact]
        public async Task PublishAndAwaitForeach(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("greet.*");
            for (int i = 0; i < 1000; i++)
            {
                await connection.PublishAsync("greet.world", "hello " + i);
            }

            int count = 0;
            await foreach (MartletMessage message in subscription)
            {
                Check.Equal("greet.world", message.Subject);
                Check.Equal("hello " + count, message.Text);
                Check.True(message.ReplyTo == null && message.Headers == null, "no reply, headers");
                if (++count == 1000)
                {
                    break;
                }
            }

            Check.Equal(1000, count);
            await connection.FlushAsync();
            Check.Equal(0L, connection.GetStatistics().Subscriptions, "leaving unsubscribes");
        }

        [Fact]
        public async Task PayloadsOfEverySize(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("size");
            var random = new Random(11);
            foreach (int size in new[] { 0, 1, 127, 65_535, 65_536, 300_000, 1_048_576 })
            {
                byte[] sent = new byte[size];
                random.NextBytes(sent);
                await connection.PublishAsync("size", sent);
                MartletMessage message = await Check.InTimeAsync(subscription.NextAsync().AsTask());
                Check.True(message.Data.Span.SequenceEqual(sent), size + " bytes come as sent");
            }

            Check.Equal(1_048_576L, connection.MaxPayload);
        }

        [Fact]
        public async Task KeptMessagesStayValid(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("kept");
            var kept = new List<MartletMessage>();
            for (int round = 0; round < 20; round++)
            {
                for (int i = 0; i < 200; i++)
                {
                    await connection.PublishAsync("kept", new string('x', i) + round + "." + i);
                }

                for (int i = 0; i < 200; i++)
                {
                    kept.Add(await Check.InTimeAsync(subscription.NextAsync().AsTask()));
                }

                GC.Collect();
            }

            await connection.DisposeAsync();
            for (int n = 0; n < kept.Count; n++)
            {
                int i = n % 200;
                Check.Equal(new string('x', i) + (n / 200) + "." + i, kept[n].Text);
            }
        }

        [Fact]
        public async Task HeadersComeAsSent(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("headers");
            var headers = new MartletHeaders { { "A", "1" }, { "A", "2" }, { "b", "größe" } };
            await connection.PublishAsync("headers", "x", headers, "answers");
            await connection.PublishAsync("headers", "y", new MartletHeaders());
            MartletMessage message = await Check.InTimeAsync(subscription.NextAsync().AsTask());
            Check.Equal("1,2", string.Join(",", message.Headers!.GetValues("A")));
            Check.Equal("größe", message.Headers["b"]);
            Check.True(message.Headers["a"] == null, "names keep their case");
            Check.Equal(3, message.Headers.Count);
            Check.Equal("answers", message.ReplyTo);
            message = await Check.InTimeAsync(subscription.NextAsync().AsTask());
            Check.Equal(0, message.Headers!.Count);
        }

        [Fact]
        public async Task ThingsSayWhatTheyAre(Broker broker)
        {
            MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("said");
            await connection.PublishAsync("said", "größe");
            await connection.PublishAsync("said", replyTo: "answers");
            MartletMessage plain = await Check.InTimeAsync(subscription.NextAsync().AsTask());
            MartletMessage asking = await Check.InTimeAsync(subscription.NextAsync().AsTask());
            string place = broker.Kind == BrokerKind.InProcess ? "in process" : broker.Url;
            Check.Equal("MartletConnection[Open, " + place + "]", connection.ToString());
            await connection.DisposeAsync();
            Check.Equal("MartletConnection[Closed]", connection.ToString());
            Check.Equal("MartletMessage[said, 7 bytes]", plain.ToString());
            Check.Equal("MartletMessage[said, reply to answers, 0 bytes]", asking.ToString());
        }

        [Fact]
        public async Task SubjectsOfAnyLanguage(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("größe.>");
            string longToken = new string('ä', 500);
            foreach (string token in new[] { "a", "数", "🐦", longToken })
            {
                await connection.PublishAsync("größe." + token, token);
                MartletMessage message = await Check.InTimeAsync(subscription.NextAsync().AsTask());
                Check.Equal("größe." + token, message.Subject);
                Check.Equal(token, message.Text);
            }
        }

        [Fact]
        public async Task CallbacksComeInOrder(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            var seen = new List<string>();
            var done = new TaskCompletionSource<bool>();
            connection.Subscribe("count", message =>
            {
                seen.Add(message.Text);
                if (seen.Count == 10_000)
                {
                    done.SetResult(true);
                }
            });
            for (int i = 0; i < 10_000; i++)
            {
                await connection.PublishAsync("count", i.ToString());
            }

            await Check.InTimeAsync(done.Task, 30);
            Check.True(
                seen.SequenceEqual(Enumerable.Range(0, 10_000).Select(i => i.ToString())),
                "in order");
        }

        [Fact]
        public async Task AsynchronousCallbacksOneAfterTheOther(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            int running = 0;
            int together = 0;
            var done = new CountdownEvent(20);
            connection.Subscribe("slow", async message =>
            {
                together = Math.Max(together, Interlocked.Increment(ref running));
                await Task.Delay(2);
                Interlocked.Decrement(ref running);
                done.Signal();
            });
            for (int i = 0; i < 20; i++)
            {
                await connection.PublishAsync("slow", "x");
            }

            await Check.SoonAsync(() => done.IsSet, "all called", 20);
            Check.Equal(1, together, "at once");
        }

        [Fact]
        public async Task QueueGroupsShare(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            var counts = new int[3];
            for (int member = 0; member < 3; member++)
            {
                int own = member;
                MartletSubscription subscription = connection.Subscribe(
                    "work", message => Interlocked.Increment(ref counts[own]), "workers");
                Check.Equal("workers", subscription.QueueGroup);
            }

            for (int i = 0; i < 300; i++)
            {
                await connection.PublishAsync("work", "x");
            }

            await Check.SoonAsync(() => counts.Sum() == 300, "each message once");
            await connection.FlushAsync();
            Check.Equal(300, counts.Sum());
            Check.True(counts.All(count => count > 0), "each member has some");
        }

        [Fact]
        public async Task RequestsAreAnswered(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            connection.Subscribe("double", message =>
            {
                _ = message.ReplyAsync(message.Text + message.Text, message.Headers);
            });
            await connection.FlushAsync();
            MartletMessage reply = await connection.RequestAsync(
                "double", "ab", new MartletHeaders { { "K", "v" } });
            Check.Equal("abab", reply.Text);
            Check.Equal("v", reply.Headers!["K"]);
            Task<MartletMessage>[] many = Enumerable.Range(0, 500)
                .Select(i => connection.RequestAsync("double", i.ToString()))
                .ToArray();
            MartletMessage[] replies = await Check.InTimeAsync(Task.WhenAll(many));
            for (int i = 0; i < replies.Length; i++)
            {
                Check.Equal(i.ToString() + i, replies[i].Text);
            }
        }

        [Fact]
        public async Task RequestsInsideACallback(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            connection.Subscribe("inner", async message => await message.ReplyAsync("inner"));
            connection.Subscribe("outer", (Action<MartletMessage>)(message =>
            {
                MartletMessage inner =
                    connection.RequestAsync("inner", "x").GetAwaiter().GetResult();
                message.ReplyAsync("outer of " + inner.Text).GetAwaiter().GetResult();
            }));
            await connection.FlushAsync();
            MartletMessage reply = await Check.InTimeAsync(connection.RequestAsync("outer", "x"));
            Check.Equal("outer of inner", reply.Text);
        }

        [Fact]
        public async Task RequestsFail(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            Check.Equal(
                "nobody listens to \"nobody\"",
                (await Check.ThrowsAsync<MartletNoRespondersException>(
                    () => connection.RequestAsync("nobody", "x"))).Message);
            connection.Subscribe("silent", message => { });
            await connection.FlushAsync();
            Check.Equal(
                "no answer to \"silent\" in 50 ms",
                (await Check.ThrowsAsync<MartletTimeoutException>(() => connection.RequestAsync(
                    "silent", "x", timeout: TimeSpan.FromMilliseconds(50)))).Message);
            using (var stop = new CancellationTokenSource(50))
            {
                await Check.ThrowsAsync<OperationCanceledException>(() => connection.RequestAsync(
                    "silent", "x", cancellationToken: stop.Token));
            }

            Task<MartletMessage> left = connection.RequestAsync(
                "silent", "x", timeout: Timeout.InfiniteTimeSpan);
            await connection.DisposeAsync();
            await Check.ThrowsAsync<MartletConnectionClosedException>(
                () => Check.InTimeAsync(left));
        }

        [Fact]
        public async Task ManyRepliesToOneRequest(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            for (int i = 0; i < 3; i++)
            {
                string answer = "from " + i;
                connection.Subscribe("all", message => { _ = message.ReplyAsync(answer); });
            }

            await connection.FlushAsync();
            var answers = new List<string>();
            await foreach (MartletMessage reply in connection.RequestManyAsync(
                "all", default, repliesMax: 3))
            {
                answers.Add(reply.Text);
            }

            Check.Equal("from 0,from 1,from 2", string.Join(",", answers.OrderBy(each => each)));
            answers.Clear();
            await foreach (MartletMessage reply in connection.RequestManyAsync(
                "all", default, timeout: TimeSpan.FromMilliseconds(200)))
            {
                answers.Add(reply.Text);
            }

            Check.Equal(3, answers.Count, "until the time is over");
            MartletException nobody = await Check.ThrowsAsync<MartletNoRespondersException>(
                async () =>
                {
                    await foreach (MartletMessage reply in connection.RequestManyAsync("nobody"))
                    {
                        answers.Add(reply.Text);
                    }
                });
            Check.Equal("nobody listens to \"nobody\"", nobody.Message);
        }

        [Fact]
        public async Task AutoUnsubscribe(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription five = connection.SubscribeAsync(
                "few", options: new MartletSubscriptionOptions { MaxMessages = 5 });
            MartletSubscription two = connection.SubscribeAsync("few");
            two.AutoUnsubscribe(2);
            for (int i = 0; i < 10; i++)
            {
                await connection.PublishAsync("few", i.ToString());
            }

            Check.Equal("0,1,2,3,4", await TextsAsync(five));
            Check.Equal("0,1", await TextsAsync(two));
        }

        [Fact]
        public async Task UnsubscribeEndsTheLoop(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("end");
            Task<string> texts = TextsAsync(subscription);
            await connection.PublishAsync("end", "1");
            await connection.FlushAsync();
            await Check.SoonAsync(
                () => subscription.GetStatistics().Delivered == 1, "it has come");
            subscription.Unsubscribe();
            Check.Equal("1", await Check.InTimeAsync(texts));
            await connection.PublishAsync("end", "2");
            await connection.FlushAsync();
            await Check.ThrowsAsync<MartletConnectionClosedException>(
                () => subscription.NextAsync().AsTask());
        }

        [Fact]
        public async Task DrainHandsOutWhatCame(Broker broker)
        {
            await using MartletConnection other = await broker.ConnectAsync();
            MartletSubscription answers = other.SubscribeAsync("answers");
            MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("work");
            int called = 0;
            connection.Subscribe("work", message =>
            {
                Thread.Sleep(1);
                called++;
                connection.PublishAsync("answers", "called").GetAwaiter().GetResult();
            });
            await connection.FlushAsync();
            for (int i = 0; i < 100; i++)
            {
                await other.PublishAsync("work", i.ToString());
            }

            await other.FlushAsync();
            Task<string> texts = TextsAsync(subscription);
            await Check.InTimeAsync(connection.DrainAsync());
            Check.Equal(100, called);
            Check.Equal(
                string.Join(",", Enumerable.Range(0, 100)), await Check.InTimeAsync(texts));
            Check.Equal(MartletConnectionState.Closed, connection.State);
            await other.FlushAsync();
            for (int i = 0; i < 100; i++)
            {
                await Check.InTimeAsync(answers.NextAsync().AsTask());
            }
        }

        [Fact]
        public async Task DrainEndsInTime(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription unread = connection.SubscribeAsync("work");
            await connection.PublishAsync("work", "x");
            await connection.FlushAsync();
            await Check.SoonAsync(() => unread.GetStatistics().PendingMessages == 1, "it waits");
            await Check.ThrowsAsync<MartletTimeoutException>(
                () => connection.DrainAsync(TimeSpan.FromMilliseconds(100)));
            Check.Equal(MartletConnectionState.Closed, connection.State);
            MartletMessage message = await Check.InTimeAsync(unread.NextAsync().AsTask());
            Check.Equal("x", message.Text, "what is left can be read");
        }

        [Fact]
        public async Task BoundsDropAndTell(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            var errors = new ConcurrentQueue<Exception>();
            connection.ErrorOccurred += (sender, arguments) => errors.Enqueue(arguments.Error);
            MartletSubscription newest = Bounded(connection, MartletFullPolicy.DropOldest);
            MartletSubscription oldest = Bounded(connection, MartletFullPolicy.RefuseNew);
            MartletSubscription latest =
                Bounded(connection, MartletFullPolicy.KeepLatestOfEachSubject);
            for (int i = 0; i < 100; i++)
            {
                await connection.PublishAsync("bound." + (i % 2), i.ToString());
            }

            await connection.FlushAsync();
            await Check.SoonAsync(
                () => newest.GetStatistics().Delivered == 100
                    && oldest.GetStatistics().Delivered == 100
                    && latest.GetStatistics().Delivered == 100,
                "all came");
            Check.Equal(90L, newest.GetStatistics().Dropped);
            Check.Equal(90L, oldest.GetStatistics().Dropped);
            newest.Unsubscribe();
            oldest.Unsubscribe();
            latest.Unsubscribe();
            Check.Equal("90,91,92,93,94,95,96,97,98,99", await TextsAsync(newest));
            Check.Equal("0,1,2,3,4,5,6,7,8,9", await TextsAsync(oldest));
            string kept = await TextsAsync(latest);
            Check.True(kept.EndsWith("98,99"), "the latest of each: " + kept);
            await Check.SoonAsync(
                () => errors.OfType<MartletSlowConsumerException>().Any(), "it is told");
        }

        [Fact]
        public async Task BlockReaderLosesNothing(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            await using MartletConnection publisher = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync(
                "blocked",
                options: new MartletSubscriptionOptions
                {
                    PendingMessagesMax = 10,
                    FullPolicy = MartletFullPolicy.BlockReader,
                });
            await connection.FlushAsync();
            for (int i = 0; i < 2000; i++)
            {
                await publisher.PublishAsync("blocked", i.ToString());
            }

            for (int i = 0; i < 2000; i++)
            {
                MartletMessage message = await Check.InTimeAsync(subscription.NextAsync().AsTask());
                Check.Equal(i.ToString(), message.Text);
            }
        }

        [Fact]
        public async Task TryNextDoesNotWait(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("now");
            Check.True(!subscription.TryNext(out MartletMessage? message), "nothing has come");
            Check.True(message == null, "and so there is none");
            await connection.PublishAsync("now", "here");
            await connection.FlushAsync();
            await Check.SoonAsync(() => subscription.TryNext(out message), "it comes");
            Check.Equal("here", message!.Text);
            subscription.Unsubscribe();
            Check.Throws<MartletConnectionClosedException>(() => subscription.Unsubscribe());
            await Check.ThrowsAsync<MartletConnectionClosedException>(async () =>
            {
                while (!subscription.TryNext(out _))
                {
                    await Task.Delay(1);
                }
            });
        }

        [Fact]
        public async Task CancelledWaitsLoseNothing(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("later");
            for (int i = 0; i < 20; i++)
            {
                using (var stop = new CancellationTokenSource(2))
                {
                    await Check.ThrowsAsync<OperationCanceledException>(
                        () => subscription.NextAsync(stop.Token).AsTask());
                }
            }

            await connection.PublishAsync("later", "here");
            MartletMessage message = await Check.InTimeAsync(subscription.NextAsync().AsTask());
            Check.Equal("here", message.Text);
            using (var stop = new CancellationTokenSource(20))
            {
                await Check.ThrowsAsync<OperationCanceledException>(async () =>
                {
                    await foreach (MartletMessage each in subscription.WithCancellation(stop.Token))
                    {
                        Check.True(false, "nothing comes, but " + each.Text);
                    }
                });
            }
        }

        [Fact]
        public async Task PublishWaitsForRoom(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync(
                new MartletConnectionOptions { PendingBytesMax = 8192 });
            MartletSubscription subscription = connection.SubscribeAsync("room");
            byte[] data = new byte[1000];
            Task publishing = Task.Run(async () =>
            {
                for (int i = 0; i < 5000; i++)
                {
                    await connection.PublishAsync("room", data);
                }
            });
            for (int i = 0; i < 5000; i++)
            {
                await Check.InTimeAsync(subscription.NextAsync().AsTask());
            }

            await publishing;
        }

        [Fact]
        public async Task PingsAndStatistics(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync(
                new MartletConnectionOptions { Name = "counted" });
            MartletSubscription subscription = connection.SubscribeAsync("counted");
            await connection.PublishAsync("counted", "12345");
            TimeSpan way = await connection.PingAsync();
            Check.True(way > TimeSpan.Zero && way < TimeSpan.FromSeconds(5), "a time: " + way);
            await subscription.NextAsync();
            MartletConnectionStatistics counted = connection.GetStatistics();
            Check.Equal(1L, counted.OutMessages);
            Check.Equal(1L, counted.InMessages);
            Check.Equal(5L, counted.InBytes);
            Check.Equal(1L, counted.Subscriptions);
            Check.True(counted.ClientId > 0 && counted.ServerId.Length > 0, "who it is");
            Check.True(connection.NewInbox() != connection.NewInbox(), "inboxes differ");
            Check.Equal(MartletConnectionState.Open, connection.State);
        }

        [Fact]
        public async Task NoEcho(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync(
                new MartletConnectionOptions { Echo = false });
            MartletSubscription subscription = connection.SubscribeAsync("echo");
            await connection.PublishAsync("echo", "x");
            await connection.FlushAsync();
            await connection.FlushAsync();
            Check.Equal(0L, subscription.GetStatistics().Delivered);
        }

        internal static async Task<string> TextsAsync(MartletSubscription subscription)
        {
            var texts = new StringBuilder();
            await foreach (MartletMessage message in subscription)
            {
                texts.Append(texts.Length == 0 ? string.Empty : ",").Append(message.Text);
            }

            return texts.ToString();
        }

        private static MartletSubscription Bounded(
            MartletConnection connection, MartletFullPolicy policy) =>
            connection.SubscribeAsync(
                "bound.*",
                options: new MartletSubscriptionOptions
                {
                    PendingMessagesMax = 10,
                    FullPolicy = policy,
                });
    }
}
