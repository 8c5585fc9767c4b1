// SPDX-License-Identifier: Apache-2.0
//
// Owns what a connection does with messages: publish, subscribe, request, flush.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    public sealed partial class MartletConnection
    {
        private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(10);

        /// <summary>Publishes a message: it is copied into the outgoing buffer and written soon.
        /// While that buffer is at its bound this waits.</summary>
        /// <param name="subject">Where to.</param>
        /// <param name="data">The payload.</param>
        /// <param name="headers">Headers; null: none.</param>
        /// <param name="replyTo">Where an answer is to go; null: nowhere.</param>
        /// <param name="cancellationToken">Ends the wait for room.</param>
        /// <returns>Done when the message is in the outgoing buffer; mostly at once.</returns>
        /// <exception cref="MartletBadSubjectException">The subject cannot be.</exception>
        /// <exception cref="MartletMaxPayloadException">More than the server takes.</exception>
        /// <exception cref="MartletLimitException">65,536 calls wait for room already.</exception>
        /// <exception cref="MartletConnectionClosedException">The connection is closed.
        /// </exception>
        [MethodImpl(Hot.Path)]
        public ValueTask PublishAsync(
            string subject,
            ReadOnlyMemory<byte> data = default,
            MartletHeaders? headers = null,
            string? replyTo = null,
            CancellationToken cancellationToken = default)
        {
            if (subject == null)
            {
                throw new ArgumentNullException(nameof(subject));
            }

            byte[]? block = headers?.ToBytes();
            if (cancellationToken.IsCancellationRequested)
            {
                return new ValueTask(Task.FromCanceled(cancellationToken));
            }

            return TryPublish(subject, replyTo, block, data.Span)
                ? default
                : PublishWhenRoomAsync(
                    new Outgoing(subject, replyTo, block, data), cancellationToken);
        }

        /// <summary>Publishes a text.</summary>
        /// <param name="subject">Where to.</param>
        /// <param name="text">The payload, sent as UTF-8.</param>
        /// <param name="headers">Headers; null: none.</param>
        /// <param name="replyTo">Where an answer is to go; null: nowhere.</param>
        /// <param name="cancellationToken">Ends the wait for room.</param>
        /// <returns>Done when the message is in the outgoing buffer; mostly at once.</returns>
        public ValueTask PublishAsync(
            string subject,
            string text,
            MartletHeaders? headers = null,
            string? replyTo = null,
            CancellationToken cancellationToken = default) =>
            PublishAsync(subject, Texts.ToPayload(text), headers, replyTo, cancellationToken);

        /// <summary>Subscribes to a subject, or to a pattern with * and &gt;. It is subscribed when
        /// this returns; iterate it with <c>await foreach</c>.</summary>
        /// <param name="subject">The subject or pattern.</param>
        /// <param name="queueGroup">Each message goes to one member of the group.</param>
        /// <param name="options">Bounds; null for the defaults.</param>
        /// <param name="cancellationToken">Ends the loop over it.</param>
        /// <returns>The subscription.</returns>
        /// <exception cref="MartletBadSubjectException">The subject cannot be.</exception>
        public MartletSubscription SubscribeAsync(
            string subject,
            string? queueGroup = null,
            MartletSubscriptionOptions? options = null,
            CancellationToken cancellationToken = default) =>
            MakeSubscription(subject, queueGroup, options, null, cancellationToken);

        /// <summary>Subscribes with a callback. Callbacks of a connection run one after the other
        /// on one thread of it; they may call anything, but what another callback of the same
        /// connection has to do first comes only after they return. What one throws is told by
        /// <see cref="ErrorOccurred"/>.</summary>
        /// <param name="subject">The subject or pattern.</param>
        /// <param name="callback">Called with each message.</param>
        /// <param name="queueGroup">Each message goes to one member of the group.</param>
        /// <param name="options">Bounds; null for the defaults.</param>
        /// <returns>The subscription.</returns>
        public MartletSubscription Subscribe(
            string subject,
            Action<MartletMessage> callback,
            string? queueGroup = null,
            MartletSubscriptionOptions? options = null)
        {
            if (callback == null)
            {
                throw new ArgumentNullException(nameof(callback));
            }

            return MakeSubscription(subject, queueGroup, options, callback, default);
        }

        /// <summary>Subscribes with an asynchronous callback: the next message of this subscription
        /// is handed over when the task of the one before is done. What one throws is told by
        /// <see cref="ErrorOccurred"/>.</summary>
        /// <param name="subject">The subject or pattern.</param>
        /// <param name="callback">Called with each message, on the thread pool.</param>
        /// <param name="queueGroup">Each message goes to one member of the group.</param>
        /// <param name="options">Bounds; null for the defaults.</param>
        /// <returns>The subscription.</returns>
        public MartletSubscription Subscribe(
            string subject,
            Func<MartletMessage, Task> callback,
            string? queueGroup = null,
            MartletSubscriptionOptions? options = null)
        {
            if (callback == null)
            {
                throw new ArgumentNullException(nameof(callback));
            }

            MartletSubscription subscription =
                MakeSubscription(subject, queueGroup, options, null, default);
            subscription.CallForEach(callback);
            return subscription;
        }

        /// <summary>Sends a request and waits for its first answer.</summary>
        /// <param name="subject">Where to.</param>
        /// <param name="data">The payload.</param>
        /// <param name="headers">Headers; null: none.</param>
        /// <param name="timeout">Null: the option RequestTimeout.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>The answer.</returns>
        /// <exception cref="MartletNoRespondersException">Nobody listens to the subject.
        /// </exception>
        /// <exception cref="MartletTimeoutException">Nobody answered in time.</exception>
        public async Task<MartletMessage> RequestAsync(
            string subject,
            ReadOnlyMemory<byte> data = default,
            MartletHeaders? headers = null,
            TimeSpan? timeout = null,
            CancellationToken cancellationToken = default)
        {
            var message = new Outgoing(subject, null, headers?.ToBytes(), data);
            var deadline = new Deadline(timeout ?? options.RequestTimeout, nameof(timeout));
            cancellationToken.ThrowIfCancellationRequested();
            var call = new PendingCall(origin, subject, deadline);
            long cookie = Pump.Add(call);
            try
            {
                Ask ask = Ask.One(Pump.Completions, cookie, deadline);
                if (!TrySend(message, ask))
                {
                    await SendWhenRoomAsync(message, ask, cancellationToken).ConfigureAwait(false);
                }

                return await call.AnswerAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                Pump.Remove(cookie);
            }
        }

        /// <summary>Sends a text as a request and waits for its first answer.</summary>
        /// <param name="subject">Where to.</param>
        /// <param name="text">The payload, sent as UTF-8.</param>
        /// <param name="headers">Headers; null: none.</param>
        /// <param name="timeout">Null: the option RequestTimeout.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>The answer.</returns>
        public Task<MartletMessage> RequestAsync(
            string subject,
            string text,
            MartletHeaders? headers = null,
            TimeSpan? timeout = null,
            CancellationToken cancellationToken = default) =>
            RequestAsync(subject, Texts.ToPayload(text), headers, timeout, cancellationToken);

        /// <summary>Sends a request and reads its answers, until there are so many or the time is
        /// over.</summary>
        /// <param name="subject">Where to.</param>
        /// <param name="data">The payload.</param>
        /// <param name="headers">Headers; null: none.</param>
        /// <param name="repliesMax">0: no bound but the time.</param>
        /// <param name="timeout">Null: the option RequestTimeout.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>The answers.</returns>
        /// <exception cref="MartletNoRespondersException">Nobody listens to the subject.
        /// </exception>
        public IAsyncEnumerable<MartletMessage> RequestManyAsync(
            string subject,
            ReadOnlyMemory<byte> data = default,
            MartletHeaders? headers = null,
            long repliesMax = 0,
            TimeSpan? timeout = null,
            CancellationToken cancellationToken = default)
        {
            var message = new Outgoing(subject, null, headers?.ToBytes(), data);
            int timeoutMs =
                Times.Milliseconds(timeout ?? options.RequestTimeout, nameof(timeout));
            return AnswersAsync(message, repliesMax, timeoutMs, cancellationToken);
        }

        /// <summary>Sends everything and waits for the server's answer: what was published before
        /// has then been processed by it.</summary>
        /// <param name="timeout">Null: 10 s.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>Done with the server's answer.</returns>
        /// <exception cref="MartletTimeoutException">The server did not answer in time.</exception>
        public async Task FlushAsync(
            TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            int timeoutMs = Times.Milliseconds(timeout ?? FlushTimeout, nameof(timeout));
            await CompleteAsync(
                cookie => Call((ConnectionHandle connection, out IntPtr error) =>
                    Native.martlet_connection_flush_start(
                        connection, timeoutMs, Pump.Completions, cookie, out error)),
                null,
                cancellationToken).ConfigureAwait(false);
        }

        /// <summary>Measures the way to the server and back.</summary>
        /// <param name="timeout">Null: 10 s.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>The time that it took.</returns>
        /// <exception cref="MartletTimeoutException">The server did not answer in time.</exception>
        public async Task<TimeSpan> PingAsync(
            TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            Stopwatch clock = Stopwatch.StartNew();
            await FlushAsync(timeout, cancellationToken).ConfigureAwait(false);
            return clock.Elapsed;
        }

        /// <summary>A subject that nobody else uses, for answers to come to.</summary>
        /// <returns>The subject.</returns>
        public string NewInbox()
        {
            TextHandle? subject = null;
            Call((ConnectionHandle connection, out IntPtr error) =>
                Native.martlet_connection_new_inbox(connection, out subject, out error));
            return Status.Take(subject!);
        }

        private async IAsyncEnumerable<MartletMessage> AnswersAsync(
            Outgoing question,
            long repliesMax,
            int timeoutMs,
            [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var reader = new MessageReader(origin, Pump, Abi.KindReply, null);
            try
            {
                Ask ask = Ask.Many(reader.Queue, repliesMax, new Deadline(timeoutMs));
                if (!TrySend(question, ask))
                {
                    await SendWhenRoomAsync(question, ask, cancellationToken)
                        .ConfigureAwait(false);
                }

                MartletMessage? message;
                do
                {
                    message = await reader.TakeAsync(cancellationToken).ConfigureAwait(false);
                    if (message == null || message.Status == Abi.ErrTimeout)
                    {
                        yield break;
                    }

                    if (message.Status < 0)
                    {
                        throw message.FailureOf(question.Subject, null);
                    }

                    yield return message;
                }
                while (message.MoreFollows);
            }
            finally
            {
                reader.End();
            }
        }

        private MartletSubscription MakeSubscription(
            string subject,
            string? queueGroup,
            MartletSubscriptionOptions? options,
            Action<MartletMessage>? callback,
            CancellationToken cancellationToken)
        {
            if (subject == null)
            {
                throw new ArgumentNullException(nameof(subject));
            }

            if (Volatile.Read(ref isDraining) != 0)
            {
                throw new MartletDrainingException("the connection drains");
            }

            try
            {
                return new MartletSubscription(
                    this,
                    subject,
                    queueGroup,
                    options ?? new MartletSubscriptionOptions(),
                    callback,
                    cancellationToken);
            }
            catch (ObjectDisposedException)
            {
                throw Disposed();
            }
        }
    }
}
