// SPDX-License-Identifier: Apache-2.0
//
// Owns the native objects: a SafeHandle of its own type for each, which the runtime keeps alive
// during every call and ends exactly once, at the latest when it is collected. A handle that is
// empty stands for NULL.
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Martlet.Raw
{
    internal abstract class NativeHandle : SafeHandle
    {
        private static int alive;

        protected NativeHandle()
            : base(IntPtr.Zero, true)
        {
            Interlocked.Increment(ref alive);
        }

        /// <summary>How many have been made and have not ended. What a call has not filled after
        /// all is counted too.</summary>
        internal static int Alive => Volatile.Read(ref alive);

        public override bool IsInvalid => handle == IntPtr.Zero;

        /// <summary>Called after the end, whoever has brought it about.</summary>
        internal Action? Ended { get; set; }

        protected abstract void Free();

        protected override bool ReleaseHandle()
        {
            Interlocked.Decrement(ref alive);

            // At the end of the process the system takes everything back, and at once.
            if (!Environment.HasShutdownStarted)
            {
                Free();
                Ended?.Invoke();
            }

            return true;
        }
    }

    internal sealed class QueueHandle : NativeHandle
    {
        /// <summary>No queue: NULL.</summary>
        internal static readonly QueueHandle None = new QueueHandle();

        protected override void Free() => Ends.martlet_queue_free(handle);
    }

    internal sealed class ServerHandle : NativeHandle
    {
        protected override void Free() => Ends.martlet_server_free(handle);
    }

    internal sealed class ConnectionHandle : NativeHandle
    {
        private const int Unclaimed = 0;
        private const int Claimed = 1;
        private const int Freed = 2;

        private int claim;

        /// <summary>One thread at a time may call without the runtime's counting, which takes a
        /// good part of a publish: until Unclaim, which has to follow, the object does not end.
        /// False when another thread has it, or it has ended: then the call goes as every other.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal bool TryClaim(out IntPtr connection)
        {
            connection = handle;
            return !IsClosed
                && Interlocked.CompareExchange(ref claim, Claimed, Unclaimed) == Unclaimed;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal void Unclaim() => Volatile.Write(ref claim, Unclaimed);

        protected override void Free()
        {
            var wait = default(SpinWait);
            while (Interlocked.CompareExchange(ref claim, Freed, Unclaimed) != Unclaimed)
            {
                wait.SpinOnce();
            }

            Ends.martlet_connection_free(handle);
        }
    }

    internal sealed class SubscriptionHandle : NativeHandle
    {
        protected override void Free() => Ends.martlet_subscription_free(handle);
    }

    internal sealed class BatchHandle : NativeHandle
    {
        protected override void Free() => Ends.martlet_batch_release(handle);
    }

    internal sealed class TextHandle : NativeHandle
    {
        protected override void Free() => Ends.martlet_text_free(handle);
    }

    /// <summary>The functions that end a handle, which nobody else may call.</summary>
    internal static class Ends
    {
        [DllImport(NativeLoader.LoadedName)]
        internal static extern void martlet_server_free(IntPtr self);

        [DllImport(NativeLoader.LoadedName)]
        internal static extern void martlet_connection_free(IntPtr self);

        [DllImport(NativeLoader.LoadedName)]
        internal static extern void martlet_subscription_free(IntPtr self);

        [DllImport(NativeLoader.LoadedName)]
        internal static extern void martlet_queue_free(IntPtr self);

        [DllImport(NativeLoader.LoadedName)]
        internal static extern void martlet_batch_release(IntPtr self);

        [DllImport(NativeLoader.LoadedName)]
        internal static extern void martlet_error_free(IntPtr self);

        [DllImport(NativeLoader.LoadedName)]
        internal static extern void martlet_text_free(IntPtr self);
    }
}
