// SPDX-License-Identifier: Apache-2.0
//
// Owns what a connection does with messages: publish, subscribe, request, flush.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
        /// <exception cref="MartletConnectionClosedException">The connection is closed.
        /// </exception>
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

            if (cancellationToken.IsCancellationRequested)
            {
                return new ValueTask(Task.FromCanceled(cancellationToken));
            }

            byte[]? block = headers?.ToBytes();
            return TryPublish(subject, replyTo, block, data.Span)
                ? default
                : new ValueTask(
                    PublishWhenRoomAsync(subject, replyTo, block, data, cancellationToken));
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
            _ = Task.Run(() => CallForEachAsync(subscription, callback));
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
            if (subject == null)
            {
                throw new ArgumentNullException(nameof(subject));
            }

            cancellationToken.ThrowIfCancellationRequested();
            var deadline = new Deadline(timeout ?? options.RequestTimeout, nameof(timeout));
            byte[]? block = headers?.ToBytes();
            var call = new PendingCall(origin);
            long cookie = Pump.Add(call);
            try
            {
                while (!TryRequest(subject, block, data.Span, deadline.LeftMs, cookie))
                {
                    await WaitForRoomAsync(
                        SizeOf(subject, null, block, data), deadline, cancellationToken)
                        .ConfigureAwait(false);
                }

                return await AnswerAsync(call, cancellationToken).ConfigureAwait(false);
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
        public async IAsyncEnumerable<MartletMessage> RequestManyAsync(
            string subject,
            ReadOnlyMemory<byte> data = default,
            MartletHeaders? headers = null,
            long repliesMax = 0,
            TimeSpan? timeout = null,
            [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            if (subject == null)
            {
                throw new ArgumentNullException(nameof(subject));
            }

            var deadline = new Deadline(timeout ?? options.RequestTimeout, nameof(timeout));
            byte[]? block = headers?.ToBytes();
            var reader = new MessageReader(origin, Pump, Abi.KindReply, null);
            try
            {
                while (!TryRequestMany(
                    subject, block, data.Span, repliesMax, deadline.LeftMs, reader.Queue))
                {
                    await WaitForRoomAsync(
                        SizeOf(subject, null, block, data), deadline, cancellationToken)
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
                        throw MartletException.FromStatus(message.Status, message.Explanation);
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

        /// <summary>Sends everything and waits for the server's answer: what was published before
        /// has then been processed by it.</summary>
        /// <param name="timeout">Null: 10 s.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>Done with the server's answer.</returns>
        /// <exception cref="MartletTimeoutException">The server did not answer in time.</exception>
        public async Task FlushAsync(
            TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int timeoutMs = Times.Milliseconds(timeout ?? FlushTimeout, nameof(timeout));
            var call = new PendingCall(origin);
            long cookie = Pump.Add(call);
            try
            {
                try
                {
                    int status = Native.martlet_connection_flush_start(
                        Alive(), timeoutMs, Pump.Completions, cookie, out IntPtr error);
                    Status.Check(status, error);
                }
                catch (ObjectDisposedException)
                {
                    throw Disposed();
                }

                await AnswerAsync(call, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                Pump.Remove(cookie);
            }
        }

        /// <summary>Measures the way to the server and back.</summary>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>The time that it took.</returns>
        public async Task<TimeSpan> PingAsync(CancellationToken cancellationToken = default)
        {
            Stopwatch clock = Stopwatch.StartNew();
            await FlushAsync(null, cancellationToken).ConfigureAwait(false);
            return clock.Elapsed;
        }

        /// <summary>A subject that nobody else uses, for answers to come to.</summary>
        /// <returns>The subject.</returns>
        public string NewInbox()
        {
            int status = Native.martlet_connection_new_inbox(
                Alive(), out TextHandle subject, out IntPtr error);
            Status.Check(status, error);
            return Status.Take(subject);
        }

        private static MartletException Disposed() =>
            new MartletConnectionClosedException("the connection is disposed");

        /// <summary>What the outgoing buffer must have room for, at most.</summary>
        private static long SizeOf(
            string subject, string? replyTo, byte[]? headers, ReadOnlyMemory<byte> data) =>
            (3L * (subject.Length + (replyTo?.Length ?? 0))) + (headers?.Length ?? 0) + data.Length
            + 64;

        private static async Task<MartletMessage> AnswerAsync(
            PendingCall call, CancellationToken cancellationToken)
        {
            if (!cancellationToken.CanBeCanceled)
            {
                return await call.Task.ConfigureAwait(false);
            }

            using (cancellationToken.Register(() => call.TrySetCanceled(cancellationToken)))
            {
                return await call.Task.ConfigureAwait(false);
            }
        }

        private static async Task CallForEachAsync(
            MartletSubscription subscription, Func<MartletMessage, Task> callback)
        {
            await foreach (MartletMessage message in subscription.ConfigureAwait(false))
            {
                try
                {
                    await callback(message).ConfigureAwait(false);
                }
                catch (Exception error)
                {
                    message.Connection.OnError("a callback threw", error);
                }
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
                Alive();
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

        /// <summary>False when the outgoing buffer is at its bound.</summary>
        private unsafe bool TryPublish(
            string subject, string? replyTo, byte[]? headers, ReadOnlySpan<byte> data)
        {
            Span<byte> subjectBuffer = stackalloc byte[Utf8.StackBytes];
            ReadOnlySpan<byte> subjectBytes =
                Utf8.Encode(subject, subjectBuffer, nameof(subject));
            ReadOnlySpan<byte> replyBytes = replyTo == null
                ? default
                : Utf8.Encode(replyTo, new byte[Utf8.StackBytes], nameof(replyTo));
            int status;
            IntPtr error;
            fixed (byte* subject0 = &MemoryMarshal.GetReference(subjectBytes))
            fixed (byte* reply0 = &MemoryMarshal.GetReference(replyBytes))
            fixed (byte* headers0 = headers)
            fixed (byte* data0 = &MemoryMarshal.GetReference(data))
            {
                try
                {
                    status = Native.martlet_connection_publish(
                        Handle,
                        subject0,
                        subjectBytes.Length,
                        reply0,
                        replyBytes.Length,
                        headers0,
                        headers?.Length ?? 0,
                        data0,
                        data.Length,
                        out error);
                }
                catch (ObjectDisposedException)
                {
                    throw Disposed();
                }
            }

            return Status.Check(status, error) == Abi.Ok;
        }

        private async Task PublishWhenRoomAsync(
            string subject,
            string? replyTo,
            byte[]? headers,
            ReadOnlyMemory<byte> data,
            CancellationToken cancellationToken)
        {
            do
            {
                await WaitForRoomAsync(
                    SizeOf(subject, replyTo, headers, data), null, cancellationToken)
                    .ConfigureAwait(false);
            }
            while (!TryPublish(subject, replyTo, headers, data.Span));
        }

        private async Task WaitForRoomAsync(
            long messageBytes, Deadline? deadline, CancellationToken cancellationToken)
        {
            var call = new PendingCall(origin);
            long cookie = Pump.Add(call);
            try
            {
                try
                {
                    int status = Native.martlet_connection_notify_capacity(
                        Alive(), messageBytes, Pump.Completions, cookie, out IntPtr error);
                    Status.Check(status, error);
                }
                catch (ObjectDisposedException)
                {
                    throw Disposed();
                }

                Task<MartletMessage> room = AnswerAsync(call, cancellationToken);
                await (deadline == null ? room : deadline.WaitAsync(room)).ConfigureAwait(false);
            }
            finally
            {
                Pump.Remove(cookie);
            }
        }

        private unsafe bool TryRequest(
            string subject, byte[]? headers, ReadOnlySpan<byte> data, int timeoutMs, long cookie)
        {
            Span<byte> subjectBuffer = stackalloc byte[Utf8.StackBytes];
            ReadOnlySpan<byte> subjectBytes =
                Utf8.Encode(subject, subjectBuffer, nameof(subject));
            int status;
            IntPtr error;
            fixed (byte* subject0 = &MemoryMarshal.GetReference(subjectBytes))
            fixed (byte* headers0 = headers)
            fixed (byte* data0 = &MemoryMarshal.GetReference(data))
            {
                try
                {
                    status = Native.martlet_connection_request_start(
                        Handle,
                        subject0,
                        subjectBytes.Length,
                        headers0,
                        headers?.Length ?? 0,
                        data0,
                        data.Length,
                        timeoutMs,
                        Pump.Completions,
                        cookie,
                        out error);
                }
                catch (ObjectDisposedException)
                {
                    throw Disposed();
                }
            }

            return Status.Check(status, error) == Abi.Ok;
        }

        private unsafe bool TryRequestMany(
            string subject,
            byte[]? headers,
            ReadOnlySpan<byte> data,
            long repliesMax,
            int timeoutMs,
            QueueHandle queue)
        {
            byte[] subjectBytes = Utf8.Encode(subject, nameof(subject));
            int status;
            IntPtr error;
            fixed (byte* subject0 = subjectBytes)
            fixed (byte* headers0 = headers)
            fixed (byte* data0 = &MemoryMarshal.GetReference(data))
            {
                try
                {
                    status = Native.martlet_connection_request_many_start(
                        Handle,
                        subject0,
                        subjectBytes.Length,
                        headers0,
                        headers?.Length ?? 0,
                        data0,
                        data.Length,
                        repliesMax,
                        timeoutMs,
                        queue,
                        0,
                        out error);
                }
                catch (ObjectDisposedException)
                {
                    throw Disposed();
                }
            }

            return Status.Check(status, error) == Abi.Ok;
        }
    }
}
