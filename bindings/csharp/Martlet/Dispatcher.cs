// SPDX-License-Identifier: Apache-2.0
//
// Owns the thread on which a connection's callbacks run, in order. It is started by the first of
// them. Subscriptions with callbacks live until they end, also when nobody else holds them.
using System;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    internal sealed class Dispatcher
    {
        private readonly ConcurrentDictionary<long, MartletSubscription> subscriptions =
            new ConcurrentDictionary<long, MartletSubscription>();

        private readonly TaskCompletionSource<bool> ended = new TaskCompletionSource<bool>(
            TaskCreationOptions.RunContinuationsAsynchronously);

        private readonly CallbackMark mark;
        private long lastCookie;

        internal Dispatcher(CallbackMark mark)
        {
            this.mark = mark;
            Queue = Queues.MakeOpen();
            Threads.Start(Run, "martlet-callbacks");
        }

        internal QueueHandle Queue { get; }

        /// <summary>Done when the last callback has returned.</summary>
        internal Task Ended => ended.Task;

        internal long Add(MartletSubscription subscription)
        {
            long cookie = Interlocked.Increment(ref lastCookie);
            subscriptions[cookie] = subscription;
            return cookie;
        }

        internal void Forget(long cookie) => subscriptions.TryRemove(cookie, out _);

        /// <summary>Ends the thread after what has come.</summary>
        internal void Close() => Queues.Close(Queue);

        private void Run()
        {
            mark.Enter();
            try
            {
                while (Queues.Wait(Queue, out Block? block))
                {
                    for (int i = 0; i < block!.Count; i++)
                    {
                        Dispatch(block, block.At(i));
                    }
                }
            }
            catch (Exception error)
            {
                Unheard.Tell("the callback thread of a connection failed", error);
            }

            foreach (MartletSubscription subscription in subscriptions.Values)
            {
                subscription.OnEnd();
            }

            subscriptions.Clear();
            Queue.Dispose();
            ended.TrySetResult(true);
        }

        /// <summary>A method of its own in any case: what it holds is let go when it returns, not
        /// when the thread ends.</summary>
        [MethodImpl(MethodImplOptions.NoInlining | Hot.Path)]
        private void Dispatch(Block block, int at)
        {
            long cookie = block.Int64(at + Abi.DescriptorCookieOffset);
            if (!subscriptions.TryGetValue(cookie, out MartletSubscription? subscription))
            {
                return; // Unsubscribed meanwhile.
            }

            var message = new MartletMessage(block, at, subscription!.Origin);
            if (message.Kind == Abi.KindMessage)
            {
                subscription.Call(message);
            }
            else
            {
                subscription.OnOther(message);
            }
        }
    }

    /// <summary>Knows whether a callback of one connection is under way here: on this thread, or
    /// in what a callback has begun and awaits.</summary>
    internal sealed class CallbackMark
    {
        private static readonly AsyncLocal<CallbackMark?> Here = new AsyncLocal<CallbackMark?>();

        internal bool IsHere => Here.Value == this;

        internal void Enter() => Here.Value = this;
    }

    /// <summary>Calls the program's event handlers one after the other, in order, on the thread
    /// pool; never on a thread that has something else to do.</summary>
    internal sealed class EventLine
    {
        private readonly ConcurrentQueue<Action> waiting = new ConcurrentQueue<Action>();
        private int running;

        internal void Post(Action action)
        {
            waiting.Enqueue(action);
            if (Interlocked.Exchange(ref running, 1) == 0)
            {
                ThreadPool.UnsafeQueueUserWorkItem(_ => Run(), null);
            }
        }

        private void Run()
        {
            do
            {
                while (waiting.TryDequeue(out Action? action))
                {
                    try
                    {
                        action!();
                    }
                    catch (Exception error)
                    {
                        Unheard.Tell("an event handler threw", error);
                    }
                }

                Volatile.Write(ref running, 0);
            }
            while (!waiting.IsEmpty && Interlocked.Exchange(ref running, 1) == 0);
        }
    }
}
