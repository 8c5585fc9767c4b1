// SPDX-License-Identifier: Apache-2.0
//
// Owns what waits for the pump: a call for its answer, a reader for its queue. What awaits it goes
// on on the thread pool, unless it is an answer and the pump has lent its turn: then on its thread.
// It never goes on inside a call of another thread, such as one that cancels.
using System;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>One answer that is awaited.</summary>
    internal sealed class PendingCall
    {
        private readonly TaskCompletionSource<MartletMessage> answer =
            new TaskCompletionSource<MartletMessage>(); // Goes on where it is set.

        private readonly MessageOrigin origin;
        private readonly string? subject;
        private readonly Deadline? deadline;
        private int isDecided;

        /// <summary>`subject` and `deadline` are a request's: its failure names them.</summary>
        internal PendingCall(
            MessageOrigin origin, string? subject = null, Deadline? deadline = null)
        {
            this.origin = origin;
            this.subject = subject;
            this.deadline = deadline;
        }

        /// <summary>The answer; its failure is thrown.</summary>
        internal async Task<MartletMessage> AnswerAsync(CancellationToken cancellationToken)
        {
            if (!cancellationToken.CanBeCanceled)
            {
                return await answer.Task.ConfigureAwait(false);
            }

            using (cancellationToken.Register(() => Cancel(cancellationToken)))
            {
                return await answer.Task.ConfigureAwait(false);
            }
        }

        internal void Complete(Block block, int at)
        {
            if (TryDecide())
            {
                OnPool.Run(() => Set(block, at));
            }
        }

        /// <summary>The same; what awaits it goes on before this returns.</summary>
        internal void CompleteHere(Block block, int at)
        {
            if (TryDecide())
            {
                Set(block, at);
            }
        }

        internal void Fail(Exception failure)
        {
            if (TryDecide())
            {
                OnPool.Run(() => answer.SetException(failure));
            }
        }

        private void Cancel(CancellationToken cancellationToken)
        {
            if (TryDecide())
            {
                OnPool.Run(() => answer.TrySetCanceled(cancellationToken));
            }
        }

        /// <summary>How it ends is decided once, by who comes first.</summary>
        private bool TryDecide() => Interlocked.Exchange(ref isDecided, 1) == 0;

        private void Set(Block block, int at)
        {
            var message = new MartletMessage(block, at, origin);
            if (message.Status < 0)
            {
                answer.SetException(message.FailureOf(subject, deadline));
            }
            else
            {
                answer.SetResult(message);
            }
        }
    }

    /// <summary>Wakes one reader. The pump holds who waits only while it waits.</summary>
    internal sealed class Wake
    {
        private readonly WeakReference<QueueHandle> queue; // Whose end removes this.
        private readonly QueueHandle completions;
        private readonly Turn turn;
        private readonly long id;
        private TaskCompletionSource<bool>? waiter;

        internal Wake(QueueHandle queue, QueueHandle completions, Turn turn, long id)
        {
            this.turn = turn;
            this.queue = new WeakReference<QueueHandle>(queue);
            this.completions = completions;
            this.id = id;
        }

        internal void Signal()
        {
            TaskCompletionSource<bool>? mine = Interlocked.Exchange(ref waiter, null);
            if (mine != null)
            {
                turn.EndWait();
                mine.TrySetResult(true);
            }
        }

        /// <summary>Done when the queue has something, or nothing more can come.</summary>
        internal Task WaitAsync(Pump pump, CancellationToken cancellationToken)
        {
            var mine = new TaskCompletionSource<bool>(
                TaskCreationOptions.RunContinuationsAsynchronously);
            turn.BeginWait();
            if (Interlocked.Exchange(ref waiter, mine) != null)
            {
                turn.EndWait();
            }

            if (!TryAsk() || pump.IsOver)
            {
                Signal();
            }

            return cancellationToken.CanBeCanceled
                ? WaitOrCancelAsync(mine, cancellationToken)
                : mine.Task;
        }

        private bool TryAsk()
        {
            try
            {
                if (!queue.TryGetTarget(out QueueHandle? asked))
                {
                    return false;
                }

                int status = Native.martlet_queue_notify_ready(
                    asked!, completions, id, out IntPtr error);
                Status.Check(status, error);
                return true;
            }
            catch (ObjectDisposedException)
            {
                return false; // One of them has ended: there is nothing to wait for.
            }
        }

        private async Task WaitOrCancelAsync(
            TaskCompletionSource<bool> mine, CancellationToken cancellationToken)
        {
            using (cancellationToken.Register(() =>
            {
                if (Interlocked.CompareExchange(ref waiter, null, mine) == mine)
                {
                    turn.EndWait();
                    mine.TrySetCanceled(cancellationToken);
                }
            }))
            {
                await mine.Task.ConfigureAwait(false);
            }
        }
    }

    internal static class OnPool
    {
        internal static void Run(Action action) =>
            ThreadPool.UnsafeQueueUserWorkItem(run => ((Action)run!)(), action);
    }
}
