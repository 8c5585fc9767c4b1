// SPDX-License-Identifier: Apache-2.0
//
// Owns how a call on a handle is made that another thread may end at any moment: the handle is kept
// alive during the call, and one that has ended is an exception with a name, not the runtime's.
using System;

namespace Martlet.Raw
{
    internal delegate int NativeCall<T>(T handle, out IntPtr error)
        where T : NativeHandle;

    internal static class Calls
    {
        /// <summary>Calls; gives the status, which is no failure. `ended` is what is told of a
        /// handle that has ended.</summary>
        internal static int Run<T>(T handle, string ended, NativeCall<T> call)
            where T : NativeHandle
        {
            try
            {
                return Status.Check(call(handle, out IntPtr error), error);
            }
            catch (ObjectDisposedException)
            {
                throw new MartletConnectionClosedException(ended);
            }
        }

        /// <summary>The same; false, and nothing else, when it has ended.</summary>
        internal static bool TryRun<T>(T handle, NativeCall<T> call)
            where T : NativeHandle
        {
            if (handle.IsClosed)
            {
                return false;
            }

            try
            {
                Run(handle, string.Empty, call);
                return true;
            }
            catch (MartletConnectionClosedException)
            {
                return false; // It ended meanwhile.
            }
        }
    }
}
