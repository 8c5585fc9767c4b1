// SPDX-License-Identifier: Apache-2.0
//
// Owns what is left of a time, and how a task is waited for within it; and how a connection
// remembers its subscriptions without keeping them.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet
{
    internal sealed class Deadline
    {
        private readonly Stopwatch clock = Stopwatch.StartNew();

        internal Deadline(TimeSpan timeout, string argument)
            : this(Times.Milliseconds(timeout, argument))
        {
        }

        /// <summary>It runs from now.</summary>
        internal Deadline(int timeoutMs)
        {
            TimeoutMs = timeoutMs;
        }

        /// <summary>The whole of it; -1: without limit.</summary>
        internal int TimeoutMs { get; }

        /// <summary>-1: without limit.</summary>
        internal int LeftMs =>
            TimeoutMs < 0 ? -1 : (int)Math.Max(TimeoutMs - clock.ElapsedMilliseconds, 0);

        internal TimeSpan Left => TimeSpan.FromMilliseconds(LeftMs);

        internal static MartletTimeoutException Passed() =>
            new MartletTimeoutException("the time given has passed");

        /// <summary>Waits for the task; throws when the time is over first.</summary>
        internal async Task WaitAsync(Task task, CancellationToken cancellationToken = default)
        {
            if (!await TryWaitAsync(task, cancellationToken).ConfigureAwait(false))
            {
                throw Passed();
            }
        }

        /// <summary>Whether the task was done in time; throws what it throws.</summary>
        internal async Task<bool> TryWaitAsync(
            Task task, CancellationToken cancellationToken = default)
        {
            if (!task.IsCompleted)
            {
                using (var stop =
                    CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
                {
                    Task first = await Task.WhenAny(task, Task.Delay(LeftMs, stop.Token))
                        .ConfigureAwait(false);
                    stop.Cancel();
                    if (first != task)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        return false;
                    }
                }
            }

            await task.ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>The subscriptions of a connection. It does not keep them: one that is collected
    /// leaves the list with its handle.</summary>
    internal sealed class SubscriptionList
    {
        private readonly ConcurrentDictionary<long, WeakReference<MartletSubscription>> known =
            new ConcurrentDictionary<long, WeakReference<MartletSubscription>>();

        private long lastNumber;

        /// <summary>Remembers it; gives what makes it forgotten, which does not hold it.</summary>
        internal Action Add(MartletSubscription subscription)
        {
            long number = Interlocked.Increment(ref lastNumber);
            known[number] = new WeakReference<MartletSubscription>(subscription);
            return () => known.TryRemove(number, out _);
        }

        internal IEnumerable<MartletSubscription> Alive()
        {
            foreach (WeakReference<MartletSubscription> reference in known.Values)
            {
                if (reference.TryGetTarget(out MartletSubscription? subscription))
                {
                    yield return subscription!;
                }
            }
        }
    }
}
