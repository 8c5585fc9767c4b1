// SPDX-License-Identifier: Apache-2.0
//
// Owns the polling of a connection's one queue: for completions, which it hands to who asked, and
// for word that a subscription's own queue has something, whose reader it wakes. What awaits an
// answer goes on here when nobody else waits (Turn.cs), all else on the thread pool. It does not
// hold the connection: one that nobody holds any more can be collected.
using System;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>Lifecycle: made with its connection; ends when that is closed, or has been
    /// collected. Any thread.</summary>
    internal sealed class Pump
    {
        /// <summary>So long it stays for the next of answers that follow one another.</summary>
        private const int LingerMs = 10;

        /// <summary>Who is awaited may give up meanwhile; then nobody need wait here.</summary>
        private const int AwaitedMs = 1000;

        private readonly ConcurrentDictionary<long, Wake> readers =
            new ConcurrentDictionary<long, Wake>();

        private readonly ConcurrentDictionary<long, PendingCall> calls =
            new ConcurrentDictionary<long, PendingCall>();

        private readonly TaskCompletionSource<bool> opened = MakeSource();
        private readonly TaskCompletionSource<MartletException?> closed =
            new TaskCompletionSource<MartletException?>(
                TaskCreationOptions.RunContinuationsAsynchronously);

        private readonly TaskCompletionSource<bool> ended = MakeSource();
        private readonly Turn turn;
        private WeakReference<MartletConnection>? owner;
        private Action? onClosed;
        private long lastId;
        private volatile bool isOver;
        private volatile bool hasCallbacks;
        private bool lingers = true; // Only who has the turn.

        internal Pump()
        {
            Completions = Queues.MakeOpen();
            turn = new Turn(Completions, () => Run(hasTurn: false));
        }

        /// <summary>Gets events, and the answers to what is asked with a cookie of Add.</summary>
        internal QueueHandle Completions { get; }

        /// <summary>Connected, or the reason why not.</summary>
        internal Task Opened => opened.Task;

        /// <summary>Done with the connection's end, and its reason.</summary>
        internal Task<MartletException?> Closed => closed.Task;

        /// <summary>Done when there is nothing more to hand over.</summary>
        internal Task Ended => ended.Task;

        /// <summary>Nobody will be woken any more.</summary>
        internal bool IsOver => isOver;

        internal void Start(MartletConnection connection)
        {
            owner = new WeakReference<MartletConnection>(connection);
            Threads.Start(() => Run(hasTurn: true), "martlet-pump");
        }

        /// <summary>Instead of Start, when there is no connection after all.</summary>
        internal void Abandon()
        {
            turn.End();
            Completions.Dispose();
        }

        /// <summary>Ends the polling, whatever it waits for.</summary>
        internal void Close() => Queues.Close(Completions);

        /// <summary>From now on another thread waits for messages of its own, which it reads best
        /// alone.</summary>
        internal void MakeRoomForCallbacks() => hasCallbacks = true;

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
            turn.BeginWait();
            if (isOver && TryRemove(id, out _))
            {
                call.Fail(Over());
            }

            return id;
        }

        internal void Remove(long id) => TryRemove(id, out _);

        /// <summary>What wakes the reader of a queue, until the queue ends.</summary>
        internal Wake Watch(QueueHandle queue)
        {
            long id = Interlocked.Increment(ref lastId);
            var wake = new Wake(queue, Completions, turn, id);
            readers[id] = wake;
            ConcurrentDictionary<long, Wake> known = readers;
            queue.Ended = () => known.TryRemove(id, out _);
            return wake;
        }

        private bool TryRemove(long id, out PendingCall? call)
        {
            if (!calls.TryRemove(id, out call))
            {
                return false;
            }

            turn.EndWait();
            return true;
        }

        private static TaskCompletionSource<bool> MakeSource() =>
            new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);

        private static MartletException Over() =>
            new MartletConnectionClosedException("the connection is closed");

        private void Run(bool hasTurn)
        {
            try
            {
                while (hasTurn || turn.Wait())
                {
                    hasTurn = true;
                    if (Poll())
                    {
                        Finish();
                        return;
                    }

                    hasTurn = false;
                    Queues.ClearStack(); // It may wait for days now, in frames that lie there.
                }
            }
            catch (Exception error)
            {
                Unheard.Tell("the pump of a connection failed", error);
                if (hasTurn || turn.TryTakeToEnd())
                {
                    Finish();
                }
            }
        }

        /// <summary>True when nothing more comes, false when another thread has the turn.
        /// </summary>
        private bool Poll()
        {
            while (!closed.Task.IsCompleted)
            {
                bool isAwaited = turn.IsAnythingAwaited;
                int status = Queues.Poll(
                    Completions,
                    isAwaited ? AwaitedMs : lingers ? LingerMs : 0,
                    out Block? block);
                if (status == Abi.Done)
                {
                    return true;
                }

                if (status == Abi.Again)
                {
                    if (isAwaited)
                    {
                        continue;
                    }

                    lingers = false;
                    turn.GiveUp();
                    return false;
                }

                int last = block!.Count - 1;
                for (int i = 0; i <= last; i++)
                {
                    // What stands behind it must not wait for the program's code.
                    if (!OnCompletion(block, block.At(i), mayLend: i == last))
                    {
                        return false;
                    }
                }
            }

            return true;
        }

        /// <summary>False when another thread has the turn. A method of its own in any case: what
        /// it holds is let go when it returns, not when the thread ends.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        private bool OnCompletion(Block block, int at, bool mayLend)
        {
            int kind = block.Int32(at + Abi.DescriptorKindOffset);
            long cookie = block.Int64(at + Abi.DescriptorCookieOffset);
            lingers = !hasCallbacks && (kind == Abi.KindReady || kind == Abi.KindReply);
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
                    if (TryRemove(cookie, out PendingCall? call))
                    {
                        if (mayLend && turn.TryLend())
                        {
                            CompleteHere(call!, block, at);
                            return turn.TryTakeBack();
                        }

                        call!.Complete(block, at);
                    }

                    break;
                default:
                    OnEvent(kind, block, at);
                    break;
            }

            return true;
        }

        private static void CompleteHere(PendingCall call, Block block, int at)
        {
            try
            {
                call.CompleteHere(block, at);
            }
            catch (Exception error)
            {
                Unheard.Tell("what awaited an answer failed", error);
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
                if (TryRemove(id, out PendingCall? call))
                {
                    call!.Fail(Over());
                }
            }

            turn.End();
            Completions.Dispose();
            opened.TrySetException(Over());
            _ = opened.Task.Exception; // Seen: nobody may be waiting.
            closed.TrySetResult(null);
            Interlocked.Exchange(ref onClosed, null)?.Invoke();
            ended.TrySetResult(true);
        }
    }
}
