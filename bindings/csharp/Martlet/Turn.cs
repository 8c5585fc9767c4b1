// SPDX-License-Identifier: Apache-2.0
//
// Owns whose turn it is to poll the completions of a connection. Who has it may run what awaits an
// answer on the spot, if nobody else waits: it lends the turn first. A second thread takes it as
// soon as another thread begins to wait, or a completion comes. So an answer needs no hop to the
// thread pool, and code that blocks keeps nobody waiting.
using System;
using System.Threading;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>Lifecycle: the first thread has the turn; ended by who has it. Of two threads one
    /// has the turn, or has lent it and runs the program's code; the other waits, or does not yet
    /// come back from the program's code.</summary>
    internal sealed class Turn
    {
        /// <summary>The second thread begins with this chance to lend: few connections that are
        /// there for a question or two ever have one.</summary>
        private const int SecondFrom = 16;

        private const int Held = 0;
        private const int Lent = 1;
        private const int Over = 2;

        private readonly QueueHandle completions;
        private readonly Action second;
        private QueueHandle? bell; // The second thread waits for it.
        private QueueHandle? closed; // Takes nothing, and rings at once.
        private int chances;
        private int waits;
        private int state;
        private int lender;
        private volatile bool isAnyoneWaiting;

        /// <summary>`second` is the thread that waits for the turn at first.</summary>
        internal Turn(QueueHandle completions, Action second)
        {
            this.completions = completions;
            this.second = second;
        }

        /// <summary>Something waits for a completion from now on. Any thread.</summary>
        internal void BeginWait()
        {
            // Either this sees that the turn is lent, or TryLend sees that somebody waits.
            Interlocked.Increment(ref waits);
            if (Volatile.Read(ref state) == Lent
                && Volatile.Read(ref lender) != Environment.CurrentManagedThreadId)
            {
                Ring();
            }
        }

        internal void EndWait() => Interlocked.Decrement(ref waits);

        /// <summary>Before the program's code runs here; false when it must not.</summary>
        internal bool TryLend()
        {
            if (!isAnyoneWaiting)
            {
                StartSecond();
                return false;
            }

            if (Volatile.Read(ref waits) > 0)
            {
                return false;
            }

            Volatile.Write(ref lender, Environment.CurrentManagedThreadId);
            Interlocked.Exchange(ref state, Lent);
            if (Volatile.Read(ref waits) > 0)
            {
                Ring();
            }

            try
            {
                Notify(completions, bell!);
            }
            catch (ObjectDisposedException)
            {
                // Who took over meanwhile has ended it. The code runs here all the same.
            }

            return true;
        }

        /// <summary>After it; false when somebody has taken over.</summary>
        internal bool TryTakeBack() => TryTake();

        /// <summary>Waits for a turn that is lent; false when there is none any more.</summary>
        internal bool Wait()
        {
            isAnyoneWaiting = true;
            try
            {
                while (Queues.Wait(bell!, out _))
                {
                    // Before it is taken: who lent it may come here to wait at once.
                    isAnyoneWaiting = false;
                    if (TryTake())
                    {
                        return true;
                    }

                    isAnyoneWaiting = true;
                }
            }
            catch (ObjectDisposedException)
            {
                return false;
            }

            return false;
        }

        internal void End()
        {
            Volatile.Write(ref state, Over);
            if (bell != null)
            {
                Queues.Close(bell);
                bell.Dispose();
                closed!.Dispose();
            }
        }

        private bool TryTake()
        {
            if (Interlocked.CompareExchange(ref state, Held, Lent) != Lent)
            {
                return false;
            }

            Notify(completions, closed!); // In place of the bell.
            return true;
        }

        private void StartSecond()
        {
            if (bell == null && ++chances == SecondFrom)
            {
                try
                {
                    closed = Queues.MakeClosed();
                    bell = Queues.MakeOpen();
                    Threads.Start(second, "martlet-pump");
                }
                catch (Exception)
                {
                    // It can be done without: no thread or no memory is to be had.
                }
            }
        }

        private void Ring()
        {
            try
            {
                Notify(closed!, bell!);
            }
            catch (ObjectDisposedException)
            {
                return; // There is no turn any more.
            }
        }

        private static void Notify(QueueHandle of, QueueHandle target) => Status.Check(
            Native.martlet_queue_notify_ready(of, target, 0, out IntPtr error), error);
    }
}
