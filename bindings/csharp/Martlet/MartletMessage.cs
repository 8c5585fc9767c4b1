// SPDX-License-Identifier: Apache-2.0
//
// Owns a message as C# sees it: a place in a block, whose parts are read when they are asked for.
using System;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>A message that came. Immutable; it may be kept for as long as one likes, and keeps
    /// the 64 KiB at most that it came with.</summary>
    public sealed class MartletMessage
    {
        private readonly Block block;
        private readonly int at;
        private readonly MessageOrigin origin;
        private string? subject;
        private MartletHeaders? headers;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal MartletMessage(Block block, int at, MessageOrigin origin)
        {
            this.block = block;
            this.at = at;
            this.origin = origin;
        }

        /// <summary>The subject that it was published to.</summary>
        public string Subject
        {
            [MethodImpl(Hot.Path)]
            get => subject ??= origin.SubjectOf(
                Part(Abi.DescriptorSubjectOffsetOffset, Abi.DescriptorSubjectBytesOffset).Span);
        }

        /// <summary>Where an answer is to go; null if nobody waits for one.</summary>
        public string? ReplyTo =>
            (Flags & Abi.FlagReply) == 0
                ? null
                : block.Text(
                    at + Abi.DescriptorReplyOffsetOffset, at + Abi.DescriptorReplyBytesOffset);

        /// <summary>The payload. It stays valid.</summary>
        public ReadOnlyMemory<byte> Data
        {
            [MethodImpl(Hot.Path)]
            get => Part(Abi.DescriptorDataOffsetOffset, Abi.DescriptorDataBytesOffset);
        }

        /// <summary>The payload read as UTF-8.</summary>
        public string Text => block.Text(
            at + Abi.DescriptorDataOffsetOffset, at + Abi.DescriptorDataBytesOffset);

        /// <summary>The headers; null if it came without.</summary>
        public MartletHeaders? Headers =>
            (Flags & Abi.FlagHeaders) == 0
                ? null
                : headers ??= MartletHeaders.Parse(block.Text(
                    at + Abi.DescriptorHeadersOffsetOffset,
                    at + Abi.DescriptorHeadersBytesOffset));

        /// <summary>Bytes of subject, reply subject, headers and payload.</summary>
        public int Size =>
            block.Int32(at + Abi.DescriptorSubjectBytesOffset)
            + block.Int32(at + Abi.DescriptorReplyBytesOffset)
            + block.Int32(at + Abi.DescriptorHeadersBytesOffset)
            + block.Int32(at + Abi.DescriptorDataBytesOffset);

        /// <summary>The connection that it came by.</summary>
        public MartletConnection Connection => origin.Connection;

        internal int Kind => block.Int32(at + Abi.DescriptorKindOffset);

        internal int Status => block.Int32(at + Abi.DescriptorStatusOffset);

        internal bool MoreFollows => (Flags & Abi.FlagMoreFollows) != 0;

        private int Flags => block.Int32(at + Abi.DescriptorFlagsOffset);

        /// <summary>Answers it.</summary>
        /// <param name="data">The payload of the answer; copied before this returns, unless it has
        /// to wait.</param>
        /// <param name="headers">Headers of the answer.</param>
        /// <param name="replyTo">Where an answer to the answer is to go.</param>
        /// <param name="cancellationToken">Ends the wait for room.</param>
        /// <returns>Done when the answer is in the outgoing buffer.</returns>
        /// <exception cref="MartletBadSubjectException">The message has no reply subject.
        /// </exception>
        public ValueTask ReplyAsync(
            ReadOnlyMemory<byte> data,
            MartletHeaders? headers = null,
            string? replyTo = null,
            CancellationToken cancellationToken = default)
        {
            string target = ReplyTo
                ?? throw new MartletBadSubjectException("the message has no reply subject");
            return Connection.PublishAsync(target, data, headers, replyTo, cancellationToken);
        }

        /// <summary>Answers it with a text.</summary>
        /// <param name="text">The answer, sent as UTF-8.</param>
        /// <param name="headers">Headers of the answer.</param>
        /// <param name="replyTo">Where an answer to the answer is to go.</param>
        /// <param name="cancellationToken">Ends the wait for room.</param>
        /// <returns>Done when the answer is in the outgoing buffer.</returns>
        public ValueTask ReplyAsync(
            string text,
            MartletHeaders? headers = null,
            string? replyTo = null,
            CancellationToken cancellationToken = default) =>
            ReplyAsync(Texts.ToPayload(text), headers, replyTo, cancellationToken);

        /// <summary>For people: its subjects and the size of its payload.</summary>
        /// <returns>One line.</returns>
        public override string ToString()
        {
            string? replyTo = ReplyTo;
            return "MartletMessage[" + Subject
                + (replyTo == null ? string.Empty : ", reply to " + replyTo)
                + ", " + Data.Length + " bytes]";
        }

        /// <summary>The failure that it tells in place of an answer. That of a request names what
        /// was asked, and the time if it has one.</summary>
        internal MartletException FailureOf(string? request, Deadline? deadline)
        {
            string text = Text;
            if (Status == Abi.ErrNoResponders)
            {
                text = "nobody listens to \"" + request + "\"";
            }
            else if (Status == Abi.ErrTimeout && deadline != null)
            {
                text = "no answer to \"" + request + "\" in " + deadline.TimeoutMs + " ms";
            }
            else if (text.Length == 0)
            {
                text = Raw.Status.Explain(Status);
            }

            return MartletException.FromStatus(Status, text);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private ReadOnlyMemory<byte> Part(int offset, int bytes) =>
            block.Part(at + offset, at + bytes);
    }

    /// <summary>What messages of one reader share: their connection, and the last subject's string,
    /// since most messages of a subscription have the same.</summary>
    internal sealed class MessageOrigin
    {
        private Known? last;

        internal MessageOrigin(MartletConnection connection)
        {
            Connection = connection;
        }

        internal MartletConnection Connection { get; }

        [MethodImpl(Hot.Path)]
        internal string SubjectOf(ReadOnlySpan<byte> subject)
        {
            Known? known = Volatile.Read(ref last);
            if (known != null && subject.SequenceEqual(known.Bytes))
            {
                return known.Text;
            }

            byte[] bytes = subject.ToArray();
            var made = new Known(bytes, Encoding.UTF8.GetString(bytes));
            Volatile.Write(ref last, made);
            return made.Text;
        }

        private sealed class Known
        {
            internal Known(byte[] bytes, string text)
            {
                Bytes = bytes;
                Text = text;
            }

            internal byte[] Bytes { get; }

            internal string Text { get; }
        }
    }

    internal static class Texts
    {
        internal static ReadOnlyMemory<byte> ToPayload(string text)
        {
            if (text == null)
            {
                throw new ArgumentNullException(nameof(text));
            }

            return Utf8.Encode(text, nameof(text));
        }
    }
}
