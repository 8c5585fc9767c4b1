// SPDX-License-Identifier: Apache-2.0
//
// Owns the one thread of a connection that waits. It polls one queue: for completions, which it
// hands to who asked, and for word that a subscription's own queue has something, whose reader it
// wakes. It runs none of the program's code, and does not hold the connection: one that nobody
// holds any more can be collected.
using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>Lifecycle: made with its connection; ends when that is closed, or has been
    /// collected. Any thread.</summary>
    internal sealed class Pump
    {
        private readonly ConcurrentDictionary<long, Wake> readers =
            new ConcurrentDictionary<long, Wake>();

        private readonly ConcurrentDictionary<long, PendingCall> calls =
            new ConcurrentDictionary<long, PendingCall>();

        private readonly TaskCompletionSource<bool> opened = MakeSource();
        private readonly TaskCompletionSource<MartletException?> closed =
            new TaskCompletionSource<MartletException?>(
                TaskCreationOptions.RunContinuationsAsynchronously);

        private readonly TaskCompletionSource<bool> ended = MakeSource();
        private WeakReference<MartletConnection>? owner;
        private Action? onClosed;
        private long lastId;
        private volatile bool isOver;

        internal Pump()
        {
            Completions = Queues.MakeOpen();
        }

        /// <summary>Gets events, and the answers to what is asked with a cookie of Add.</summary>
        internal QueueHandle Completions { get; }

        /// <summary>Connected, or the reason why not.</summary>
        internal Task Opened => opened.Task;

        /// <summary>Done with the connection's end, and its reason.</summary>
        internal Task<MartletException?> Closed => closed.Task;

        /// <summary>Done when the thread has nothing more to do.</summary>
        internal Task Ended => ended.Task;

        /// <summary>Nobody will be woken any more.</summary>
        internal bool IsOver => isOver;

        internal void Start(MartletConnection connection)
        {
            owner = new WeakReference<MartletConnection>(connection);
            Threads.Start(Run, "martlet-pump");
        }

        /// <summary>Instead of Start, when there is no connection after all.</summary>
        internal void Abandon() => Completions.Dispose();

        /// <summary>Ends the thread, whatever it waits for.</summary>
        internal void Close() => Queues.Close(Completions);

        /// <summary>What is to be called, once, when the connection is closed.</summary>
        internal void WhenClosed(Action action)
        {
            Interlocked.Exchange(ref onClosed, action); // Written before isOver is read.
            if (isOver)
            {
                action();
            }
        }

        /// <summary>The number under which this call's answer is awaited.</summary>
        internal long Add(PendingCall call)
        {
            long id = Interlocked.Increment(ref lastId);
            calls[id] = call;
            if (isOver && calls.TryRemove(id, out _))
            {
                call.TrySetException(Over());
            }

            return id;
        }

        internal void Remove(long id) => calls.TryRemove(id, out _);

        /// <summary>What wakes the reader of a queue, until the queue ends.</summary>
        internal Wake Watch(QueueHandle queue)
        {
            long id = Interlocked.Increment(ref lastId);
            var wake = new Wake(queue, Completions, id);
            readers[id] = wake;
            ConcurrentDictionary<long, Wake> known = readers;
            queue.Ended = () => known.TryRemove(id, out _);
            return wake;
        }

        private static TaskCompletionSource<bool> MakeSource() =>
            new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);

        private static MartletException Over() =>
            new MartletConnectionClosedException("the connection is closed");

        private void Run()
        {
            try
            {
                while (!closed.Task.IsCompleted
                    && Queues.Wait(Completions, out Block? block))
                {
                    for (int i = 0; i < block!.Count; i++)
                    {
                        OnCompletion(block, block.At(i));
                    }
                }
            }
            catch (Exception error)
            {
                Unheard.Tell("the pump of a connection failed", error);
            }

            Finish();
        }

        private void OnCompletion(Block block, int at)
        {
            int kind = block.Int32(at + Abi.DescriptorKindOffset);
            long cookie = block.Int64(at + Abi.DescriptorCookieOffset);
            switch (kind)
            {
                case Abi.KindReady:
                    if (readers.TryGetValue(cookie, out Wake? wake))
                    {
                        wake!.Signal();
                    }

                    break;
                case Abi.KindReply:
                case Abi.KindFlushed:
                case Abi.KindCapacity:
                    if (calls.TryRemove(cookie, out PendingCall? call))
                    {
                        call!.Complete(block, at);
                    }

                    break;
                default:
                    OnEvent(kind, block, at);
                    break;
            }
        }

        private void OnEvent(int kind, Block block, int at)
        {
            int status = block.Int32(at + Abi.DescriptorStatusOffset);
            string text = block.Text(
                at + Abi.DescriptorDataOffsetOffset, at + Abi.DescriptorDataBytesOffset);
            MartletException? failure = status < 0
                ? MartletException.FromStatus(
                    status, text.Length > 0 ? text : Status.Explain(status))
                : null;
            if (owner != null && owner.TryGetTarget(out MartletConnection? connection))
            {
                connection!.OnEvent(kind, text, failure);
            }

            // After the event: handlers that are added to an open connection do not get it.
            if (kind == Abi.KindConnected)
            {
                opened.TrySetResult(true);
            }

            if (kind == Abi.KindClosed)
            {
                opened.TrySetException(failure ?? Over());
                closed.TrySetResult(failure);
            }
        }

        private void Finish()
        {
            isOver = true;
            foreach (Wake wake in readers.Values)
            {
                wake.Signal();
            }

            foreach (long id in calls.Keys)
            {
                if (calls.TryRemove(id, out PendingCall? call))
                {
                    call!.TrySetException(Over());
                }
            }

            Completions.Dispose();
            opened.TrySetException(Over());
            _ = opened.Task.Exception; // Seen: nobody may be waiting.
            closed.TrySetResult(null);
            Interlocked.Exchange(ref onClosed, null)?.Invoke();
            ended.TrySetResult(true);
        }
    }

    /// <summary>One answer that is awaited.</summary>
    internal sealed class PendingCall : TaskCompletionSource<MartletMessage>
    {
        private readonly MessageOrigin origin;

        internal PendingCall(MessageOrigin origin)
            : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
            this.origin = origin;
        }

        /// <summary>The answer; its failure is thrown.</summary>
        internal async Task<MartletMessage> AnswerAsync(CancellationToken cancellationToken)
        {
            if (!cancellationToken.CanBeCanceled)
            {
                return await Task.ConfigureAwait(false);
            }

            using (cancellationToken.Register(() => TrySetCanceled(cancellationToken)))
            {
                return await Task.ConfigureAwait(false);
            }
        }

        internal void Complete(Block block, int at)
        {
            var message = new MartletMessage(block, at, origin);
            if (message.Status < 0)
            {
                TrySetException(
                    MartletException.FromStatus(message.Status, message.Explanation));
            }
            else
            {
                TrySetResult(message);
            }
        }
    }

    /// <summary>Wakes one reader. The pump holds who waits only while it waits.</summary>
    internal sealed class Wake
    {
        private readonly WeakReference<QueueHandle> queue; // Whose end removes this.
        private readonly QueueHandle completions;
        private readonly long id;
        private TaskCompletionSource<bool>? waiter;

        internal Wake(QueueHandle queue, QueueHandle completions, long id)
        {
            this.queue = new WeakReference<QueueHandle>(queue);
            this.completions = completions;
            this.id = id;
        }

        internal void Signal() => Interlocked.Exchange(ref waiter, null)?.TrySetResult(true);

        /// <summary>Done when the queue has something, or nothing more can come.</summary>
        internal Task WaitAsync(Pump pump, CancellationToken cancellationToken)
        {
            var mine = new TaskCompletionSource<bool>(
                TaskCreationOptions.RunContinuationsAsynchronously);
            Interlocked.Exchange(ref waiter, mine);
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
                Interlocked.CompareExchange(ref waiter, null, mine);
                mine.TrySetCanceled(cancellationToken);
            }))
            {
                await mine.Task.ConfigureAwait(false);
            }
        }
    }
}
