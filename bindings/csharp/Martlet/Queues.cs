// SPDX-License-Identifier: Apache-2.0
//
// Owns the small things that every thread of the package uses: queues without a bound of their own
// (the bounds are the subscriptions'), a blocking call on a thread of its own, and where an
// exception goes that nobody listens to.
using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    internal static unsafe class Queues
    {
        private static readonly byte[] Open = Utf8.Encode(
            "{\"messages_max\":1152921504606846976,\"bytes_max\":1152921504606846976}", "options");

        private static readonly bool IsMono = Type.GetType("Mono.Runtime") != null;

        /// <summary>How long a thread of ours waits in one call, at most. Mono's end of main waits
        /// until background threads come back from native code; .NET's does not.</summary>
        private static readonly int WaitMs = IsMono ? MonoWaitMs : -1;

        private const int MonoWaitMs = 100;

        /// <summary>Waits for the next block; false when the queue is closed and empty.</summary>
        internal static bool Wait(QueueHandle queue, out Block? block)
        {
            int status;
            do
            {
                status = Poll(queue, -1, out block);
            }
            while (status == Abi.Again);
            return status == Abi.Ok;
        }

        /// <summary>Waits so long, -1: until something comes, though AGAIN may come before.
        /// </summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        internal static int Poll(QueueHandle queue, int timeoutMs, out Block? block)
        {
            ClearStack();
            int waitMs = timeoutMs < 0 ? WaitMs
                : IsMono ? Math.Min(timeoutMs, MonoWaitMs)
                : timeoutMs;
            return Block.Poll(queue, Block.MessagesMax, waitMs, out block);
        }

        /// <summary>Mono's collector takes whatever lies on a stack for a reference. A thread that
        /// waits for days must not keep alive, by what an earlier call has left there, the
        /// connection that it works for.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        internal static void ClearStack()
        {
            const int Bytes = 4096;
            if (!IsMono)
            {
                return;
            }

            byte* left = stackalloc byte[Bytes];
            new Span<byte>(left, Bytes).Clear();
        }

        internal static QueueHandle MakeOpen()
        {
            fixed (byte* options = Open)
            {
                int status = Native.martlet_queue_new(
                    options, Open.Length, out QueueHandle queue, out IntPtr error);
                Status.Check(status, error);
                return queue;
            }
        }

        /// <summary>One that takes nothing.</summary>
        internal static QueueHandle MakeClosed()
        {
            QueueHandle queue = MakeOpen();
            Close(queue);
            return queue;
        }

        internal static void Close(QueueHandle queue)
        {
            if (queue.IsClosed)
            {
                return;
            }

            try
            {
                Status.Check(Native.martlet_queue_close(queue, out IntPtr error), error);
            }
            catch (ObjectDisposedException)
            {
                return; // Its thread has ended it meanwhile.
            }
        }
    }

    internal static class Threads
    {
        /// <summary>Starts a thread that keeps no program alive. It begins without the caller's
        /// ExecutionContext, which it would keep for as long as it runs.</summary>
        internal static Thread Start(Action run, string name)
        {
            var thread = new Thread(() => run()) { IsBackground = true, Name = name };
            if (ExecutionContext.IsFlowSuppressed())
            {
                thread.Start();
                return thread;
            }

            using (ExecutionContext.SuppressFlow())
            {
                thread.Start();
            }

            return thread;
        }

        /// <summary>Runs what blocks on a thread of its own, never on the thread pool's time.
        /// </summary>
        internal static Task RunBlocking(Action action, string name)
        {
            var done = new TaskCompletionSource<bool>(
                TaskCreationOptions.RunContinuationsAsynchronously);
            Action run = () =>
            {
                try
                {
                    action();
                    done.TrySetResult(true);
                }
                catch (Exception error)
                {
                    done.TrySetException(error);
                }
            };
            Start(run, name);
            return done.Task;
        }
    }

    internal static class Unheard
    {
        /// <summary>A library prints nothing: it goes to the listeners of Trace. A listener that
        /// throws does not end the thread that has something to tell.</summary>
        internal static void Tell(string what, Exception error)
        {
            try
            {
                Trace.TraceError("martlet: " + what + ": " + error);
            }
            catch (Exception)
            {
                return; // There is nobody left to tell.
            }
        }
    }
}
