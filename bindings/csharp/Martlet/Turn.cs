// SPDX-License-Identifier: Apache-2.0
//
// Owns whose turn it is to poll the completions of a connection. Who has it may run what awaits an
// answer on the spot, if nobody else waits: it lends the turn first. A second thread takes it as
// soon as another thread begins to wait, or a completion comes. So an answer needs no hop to the
// thread pool, and code that blocks keeps nobody waiting. When nothing is awaited nobody has the
// turn: who polled would read the socket in place of those who wait for messages of their own, be
// woken by each, and write in small pieces what is published meanwhile.
using System;
using System.Threading;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>Lifecycle: the first thread has the turn; ended by who has it. Of two threads one
    /// has the turn, or has lent it and runs the program's code; the other waits, or does not yet
    /// come back from the program's code. Or both wait.</summary>
    internal sealed class Turn
    {
        /// <summary>The second thread begins with this chance to lend: few connections that are
        /// there for a question or two ever have one.</summary>
        private const int SecondFrom = 16;

        private const int Held = 0;
        private const int Lent = 1;
        private const int Over = 2;
        private const int Nobody = 0;

        private readonly QueueHandle completions;
        private readonly Action second;
        // Who waits for the turn waits for it.
        private readonly QueueHandle bell = Queues.MakeOpen();
        private readonly QueueHandle closed = Queues.MakeClosed(); // Takes nothing; rings at once.
        private readonly object waiting = new object(); // A queue has one reader.
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

        internal bool IsAnythingAwaited => Volatile.Read(ref waits) > 0;

        /// <summary>Something waits for a completion from now on. Any thread.</summary>
        internal void BeginWait()
        {
            // Either this sees that the turn is lent, or Lend sees that somebody waits.
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

            if (IsAnythingAwaited)
            {
                return false;
            }

            // Who takes over may even end it meanwhile: the code runs here all the same.
            Lend(Environment.CurrentManagedThreadId);
            return true;
        }

        /// <summary>After it; false when somebody has taken over.</summary>
        internal bool TryTakeBack() => TryTake();

        /// <summary>Nobody has it until something is awaited, or a completion comes.</summary>
        internal void GiveUp() => Lend(Nobody);

        /// <summary>Waits for a turn that is lent; false when there is none any more.</summary>
        internal bool Wait()
        {
            lock (waiting)
            {
                isAnyoneWaiting = true;
                try
                {
                    while (Queues.Wait(bell, out _))
                    {
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
        }

        internal void End()
        {
            Volatile.Write(ref state, Over);
            Queues.Close(bell);
            bell.Dispose();
            closed.Dispose();
        }

        private void Lend(int to)
        {
            Volatile.Write(ref lender, to);
            Interlocked.Exchange(ref state, Lent);
            if (IsAnythingAwaited)
            {
                Ring();
            }

            try
            {
                Notify(completions, bell);
            }
            catch (ObjectDisposedException)
            {
                return; // Who took it meanwhile has ended it.
            }
        }

        private bool TryTake()
        {
            if (Interlocked.CompareExchange(ref state, Held, Lent) != Lent)
            {
                return false;
            }

            try
            {
                Notify(completions, closed); // In place of the bell.
            }
            catch (Exception)
            {
                Interlocked.CompareExchange(ref state, Lent, Held);
                throw;
            }

            return true;
        }

        /// <summary>Without waiting, by a thread that can do nothing but end everything.</summary>
        internal bool TryTakeToEnd() =>
            Interlocked.CompareExchange(ref state, Held, Lent) == Lent;

        private void StartSecond()
        {
            if (++chances == SecondFrom)
            {
                try
                {
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
                Notify(closed, bell);
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
