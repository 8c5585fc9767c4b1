// SPDX-License-Identifier: Apache-2.0
//
// Owns the way out of a connection: a message is handed to the library, or waits until the outgoing
// buffer has room for it; and what is asked of the library is answered through the pump.
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    public sealed partial class MartletConnection
    {
        private string? subjectOnce;
        private KnownSubject? lastSubject;

        private static MartletException Disposed() =>
            new MartletConnectionClosedException(DisposedText);

        private int Call(NativeCall<ConnectionHandle> call) =>
            Calls.Run(Handle, DisposedText, call);

        /// <summary>False when the outgoing buffer is at its bound.</summary>
        [MethodImpl(Hot.Path)]
        private unsafe bool TryPublish(
            string subjectText, string? replyTo, byte[]? headers, ReadOnlySpan<byte> data)
        {
            KnownSubject? last = lastSubject;
            ConnectionHandle connection = Handle;
            if (last == null || !ReferenceEquals(last.Text, subjectText)
                || replyTo != null || headers != null
                || !connection.TryClaim(out IntPtr claimed))
            {
                return TryPublishAny(subjectText, replyTo, headers, data);
            }

            int status;
            IntPtr error = IntPtr.Zero;
            fixed (byte* subject0 = last.Bytes)
            fixed (byte* data0 = &MemoryMarshal.GetReference(data))
            {
                status = Hot.Publish(
                    claimed, subject0, last.Bytes.Length, null, 0, null, 0,
                    data0, data.Length, &error);
            }

            connection.Unclaim();
            return Status.Check(status, error) == Abi.Ok;
        }

        [MethodImpl(Hot.Path)]
        private unsafe bool TryPublishAny(
            string subjectText, string? replyTo, byte[]? headers, ReadOnlySpan<byte> data)
        {
            ReadOnlySpan<byte> subject = stackalloc byte[0];
            KnownSubject? last = lastSubject;
            if (last != null && ReferenceEquals(last.Text, subjectText))
            {
                subject = last.Bytes;
            }
            else
            {
                subject = Utf8.Encode(subjectText, stackalloc byte[Utf8.StackBytes], "subject");
                RememberIfRepeated(subjectText, subject);
            }

            ReadOnlySpan<byte> reply = replyTo == null
                ? default
                : Utf8.Encode(replyTo, stackalloc byte[Utf8.StackBytes], "replyTo");
            try
            {
                fixed (byte* subject0 = &MemoryMarshal.GetReference(subject))
                fixed (byte* reply0 = &MemoryMarshal.GetReference(reply))
                fixed (byte* headers0 = headers)
                fixed (byte* data0 = &MemoryMarshal.GetReference(data))
                {
                    int status = NativePINVOKE.martlet_connection_publish(
                        Handle, subject0, subject.Length, reply0, reply.Length,
                        headers0, headers?.Length ?? 0, data0, data.Length, out IntPtr error);
                    return Status.Check(status, error) == Abi.Ok;
                }
            }
            catch (ObjectDisposedException)
            {
                throw Disposed();
            }
        }

        /// <summary>The same, with what is asked for.</summary>
        private unsafe bool TrySend(in Outgoing message, in Ask ask)
        {
            ReadOnlySpan<byte> data = message.Data.Span;
            if (ask.Answers == Answers.None)
            {
                return TryPublish(message.Subject, message.ReplyTo, message.Headers, data);
            }

            ReadOnlySpan<byte> subject = Utf8.Encode(
                message.Subject, stackalloc byte[Utf8.StackBytes], "subject");
            int headersBytes = message.Headers?.Length ?? 0;
            try
            {
                fixed (byte* subject0 = &MemoryMarshal.GetReference(subject))
                fixed (byte* headers0 = message.Headers)
                fixed (byte* data0 = &MemoryMarshal.GetReference(data))
                {
                    IntPtr error;
                    int status = ask.Answers == Answers.One
                        ? Native.martlet_connection_request_start(
                            Handle, subject0, subject.Length, headers0, headersBytes,
                            data0, data.Length, ask.Deadline!.LeftMs,
                            ask.Queue!, ask.Cookie, out error)
                        : Native.martlet_connection_request_many_start(
                            Handle, subject0, subject.Length, headers0, headersBytes,
                            data0, data.Length, ask.AnswersMax,
                            ask.Deadline!.LeftMs, ask.Queue!, 0, out error);
                    return Status.Check(status, error) == Abi.Ok;
                }
            }
            catch (ObjectDisposedException)
            {
                throw Disposed();
            }
        }

        /// <summary>Who publishes to one subject over and over mostly has one string of it.
        /// </summary>
        private void RememberIfRepeated(string text, ReadOnlySpan<byte> bytes)
        {
            if (ReferenceEquals(subjectOnce, text))
            {
                lastSubject = new KnownSubject(text, bytes.ToArray());
            }

            subjectOnce = text;
        }

        private ValueTask PublishWhenRoomAsync(
            in Outgoing message, CancellationToken cancellationToken) =>
            new ValueTask(SendWhenRoomAsync(message, default, cancellationToken));

        /// <summary>Sends it when there is room, within the time of what it asks for.</summary>
        private async Task SendWhenRoomAsync(
            Outgoing message, Ask ask, CancellationToken cancellationToken)
        {
            do
            {
                await CompleteAsync(
                    cookie => Call((ConnectionHandle connection, out IntPtr error) =>
                        Native.martlet_connection_notify_capacity(
                            connection, message.SizeMax, Pump.Completions, cookie, out error)),
                    ask.Deadline,
                    cancellationToken).ConfigureAwait(false);
            }
            while (!TrySend(message, ask));
        }

        /// <summary>Begins what the library answers through the pump, and waits for that. Without
        /// a deadline the library itself knows when the time is over.</summary>
        private async Task CompleteAsync(
            Action<long> begin, Deadline? deadline, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var call = new PendingCall(origin);
            long cookie = Pump.Add(call);
            try
            {
                begin(cookie);
                using (deadline == null ? null : TimeOf(deadline, call))
                {
                    await call.AnswerAsync(cancellationToken).ConfigureAwait(false);
                }
            }
            finally
            {
                Pump.Remove(cookie);
            }
        }

        private static Timer TimeOf(Deadline deadline, PendingCall call) => new Timer(
            _ => call.Fail(Deadline.Passed()),
            null,
            deadline.LeftMs,
            System.Threading.Timeout.Infinite);

        /// <summary>A subject, and its UTF-8.</summary>
        private sealed class KnownSubject
        {
            internal readonly string Text;
            internal readonly byte[] Bytes;

            internal KnownSubject(string text, byte[] bytes)
            {
                Text = text;
                Bytes = bytes;
            }
        }

        /// <summary>How many answers a message asks for.</summary>
        private enum Answers
        {
            None,
            One,
            Many,
        }

        /// <summary>A message on its way out.</summary>
        private readonly struct Outgoing
        {
            internal readonly string Subject;
            internal readonly string? ReplyTo;
            internal readonly byte[]? Headers;
            internal readonly ReadOnlyMemory<byte> Data;

            internal Outgoing(
                string subject, string? replyTo, byte[]? headers, ReadOnlyMemory<byte> data)
            {
                Subject = subject ?? throw new ArgumentNullException(nameof(subject));
                ReplyTo = replyTo;
                Headers = headers;
                Data = data;
            }

            /// <summary>What the outgoing buffer must have room for, at most.</summary>
            internal long SizeMax =>
                (3L * (Subject.Length + (ReplyTo?.Length ?? 0))) + (Headers?.Length ?? 0)
                + Data.Length + 64;
        }

        /// <summary>What a message asks for, where the answers go, and within which time.</summary>
        private readonly struct Ask
        {
            internal readonly Answers Answers;
            internal readonly QueueHandle? Queue;
            internal readonly long Cookie;
            internal readonly long AnswersMax;
            internal readonly Deadline? Deadline;

            private Ask(
                Answers answers, QueueHandle queue, long cookie, long answersMax, Deadline deadline)
            {
                Answers = answers;
                Queue = queue;
                Cookie = cookie;
                AnswersMax = answersMax;
                Deadline = deadline;
            }

            internal static Ask One(QueueHandle queue, long cookie, Deadline deadline) =>
                new Ask(Answers.One, queue, cookie, 1, deadline);

            internal static Ask Many(QueueHandle queue, long answersMax, Deadline deadline) =>
                new Ask(Answers.Many, queue, 0, answersMax, deadline);
        }
    }
}
