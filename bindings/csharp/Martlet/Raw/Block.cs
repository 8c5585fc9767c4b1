// SPDX-License-Identifier: Apache-2.0
//
// Owns the hot way in: a poll of a completion queue, and the block that it gives, read in place by
// the offsets that the C ABI tells. A block is an array of the collector's own, of just the size of
// what came, so a kept message stays valid and nothing has to be freed.
using System;
using System.Runtime.CompilerServices;

namespace Martlet.Raw
{
    internal sealed unsafe class Block
    {
        /// <summary>How much one poll takes; below the size at which arrays become large objects.
        /// </summary>
        internal const int BytesMax = 64 * 1024;

        internal const int MessagesMax = 1024;

        [ThreadStatic]
        private static byte[]? scratch;

        private readonly int descriptors;
        private readonly int stride;

        private Block(byte[] bytes, int count, int stride, int descriptors)
        {
            Bytes = bytes;
            Count = count;
            this.stride = stride;
            this.descriptors = descriptors;
        }

        internal byte[] Bytes { get; }

        internal int Count { get; }

        /// <summary>Polls; the status. There is a block only when that is OK.</summary>
        internal static int Poll(
            QueueHandle queue, int messagesMax, int timeoutMs, out Block? block)
        {
            // A large object: it stays where it is while a poll waits with it.
            byte[] buffer = scratch ??= new byte[96 * 1024];
            int status = PollInto(
                queue, buffer, BytesMax, messagesMax, timeoutMs, out Info info);
            if (status == Abi.ErrBufferTooSmall)
            {
                buffer = new byte[info.BlockBytes];
                status = PollInto(queue, buffer, buffer.Length, 1, timeoutMs, out info);
                block = status == Abi.Ok ? MakeBlock(buffer, info) : null;
                return status;
            }

            if (status != Abi.Ok)
            {
                block = null;
                return status;
            }

            byte[] bytes = new byte[info.BlockBytes];
            Buffer.BlockCopy(buffer, 0, bytes, 0, bytes.Length);
            block = MakeBlock(bytes, info);
            return status;
        }

        /// <summary>Where the descriptor of this number begins.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal int At(int index) => descriptors + (index * stride);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal int Int32(int position)
        {
            fixed (byte* first = Bytes)
            {
                return *(int*)(first + position);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal long Int64(int position)
        {
            fixed (byte* first = Bytes)
            {
                return *(long*)(first + position);
            }
        }

        /// <summary>The bytes that a pair of offset and length speaks of.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal ReadOnlyMemory<byte> Part(int offsetPosition, int bytesPosition) =>
            new ReadOnlyMemory<byte>(Bytes, Int32(offsetPosition), Int32(bytesPosition));

        internal string Text(int offsetPosition, int bytesPosition) =>
            Utf8.Decode(Bytes, Int32(offsetPosition), Int32(bytesPosition));

        private static int PollInto(
            QueueHandle queue,
            byte[] buffer,
            int bufferBytes,
            int messagesMax,
            int timeoutMs,
            out Info info)
        {
            byte* raw = stackalloc byte[Abi.BatchInfoBytes];
            new Span<byte>(raw, Abi.BatchInfoBytes).Clear();
            *(int*)(raw + Abi.BatchInfoInfoBytesOffset) = Abi.BatchInfoBytes;
            int status;
            IntPtr error;
            fixed (byte* first = buffer)
            {
                status = Native.martlet_queue_poll_into(
                    queue, first, bufferBytes, messagesMax, timeoutMs, raw, out error);
            }

            info.Count = *(int*)(raw + Abi.BatchInfoCountOffset);
            info.Stride = *(int*)(raw + Abi.BatchInfoStrideBytesOffset);
            info.Descriptors = checked((int)*(long*)(raw + Abi.BatchInfoDescriptorsOffsetOffset));
            info.BlockBytes = checked((int)*(long*)(raw + Abi.BatchInfoBlockBytesOffset));
            if (error != IntPtr.Zero)
            {
                if (status != Abi.ErrBufferTooSmall)
                {
                    throw Status.Failure(status, error);
                }

                Ends.martlet_error_free(error);
            }

            return status;
        }

        private static Block MakeBlock(byte[] bytes, Info info) =>
            new Block(bytes, info.Count, info.Stride, info.Descriptors);

        private struct Info
        {
            internal int Count;
            internal int Stride;
            internal int Descriptors;
            internal int BlockBytes;
        }
    }
}
