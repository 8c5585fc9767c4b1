// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of one queue of messages: block after block, and a wait only when the queue is
// empty. No thread of its own: who reads polls, and is woken by the connection's pump.
using System;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>One reader at a time. Lifecycle: ends with the last descriptor of its queue, or is
    /// ended; what it holds is given back then, or when it is collected.</summary>
    internal sealed class MessageReader
    {
        private readonly MessageOrigin origin;
        private readonly Pump pump;
        private readonly Wake wake;
        private readonly int kind;
        private readonly Action<MartletMessage>? onOther;
        private Block? block;
        private int next;
        private int reading;
        private volatile bool ended;
        private volatile bool isGivenUp;

        /// <summary>Reads messages of one kind; others go to `onOther`.</summary>
        internal MessageReader(
            MessageOrigin origin, Pump pump, int kind, Action<MartletMessage>? onOther)
        {
            this.origin = origin;
            this.pump = pump;
            this.kind = kind;
            this.onOther = onOther;
            Queue = Queues.MakeOpen();
            wake = pump.Watch(Queue);
        }

        internal QueueHandle Queue { get; }

        internal bool IsBeingRead => Volatile.Read(ref reading) != 0;

        /// <summary>Messages that have left the queue and that nobody has been given.</summary>
        internal bool HasAtHand
        {
            get
            {
                Block? at = block;
                return at != null && next < at.Count;
            }
        }

        internal bool HasEnded => ended;

        /// <summary>Claims the reading.</summary>
        internal void Enter()
        {
            if (Interlocked.CompareExchange(ref reading, 1, 0) != 0)
            {
                throw new MartletStateException(
                    "the subscription is being read already: one reader at a time");
            }
        }

        internal void Leave() => Volatile.Write(ref reading, 0);

        /// <summary>The next message that needs no waiting.</summary>
        [MethodImpl(Hot.Path)]
        internal bool TryTake(out MartletMessage? message)
        {
            while (true)
            {
                Block? at = block;
                if (at != null)
                {
                    while (next < at.Count && !isGivenUp)
                    {
                        int position = at.At(next++);
                        var taken = new MartletMessage(at, position, origin);
                        if (at.Int32(position + Abi.DescriptorKindOffset) == kind)
                        {
                            message = taken;
                            return true;
                        }

                        OnOther(taken);
                    }

                    block = null;
                }

                message = null;
                if (ended || !Poll())
                {
                    return false;
                }
            }
        }

        /// <summary>The next message; null when none can follow.</summary>
        internal async ValueTask<MartletMessage?> TakeAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                bool isLast = pump.IsOver;
                if (TryTake(out MartletMessage? message))
                {
                    return message;
                }

                if (ended || isLast)
                {
                    End();
                    return null;
                }

                await wake.WaitAsync(pump, cancellationToken).ConfigureAwait(false);
            }
        }

        /// <summary>Nothing more will be taken, by whomever.</summary>
        internal void End()
        {
            isGivenUp = true;
            ended = true;

            // In this order: who begins to wait after the signal finds the queue gone.
            Queue.Dispose();
            wake.Signal();
        }

        private bool Poll()
        {
            try
            {
                int status = Block.Poll(Queue, Block.MessagesMax, 0, out block);
                next = 0;
                ended |= status == Abi.Done;
                return status == Abi.Ok;
            }
            catch (ObjectDisposedException)
            {
                ended = true; // Ended by another thread.
                return false;
            }
        }

        private void OnOther(MartletMessage other)
        {
            if (other.Kind == Abi.KindSubscriptionEnd)
            {
                ended = true;
            }

            onOther?.Invoke(other);
        }
    }
}
