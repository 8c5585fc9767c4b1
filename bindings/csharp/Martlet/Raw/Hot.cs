// SPDX-License-Identifier: Apache-2.0
//
// Owns how the methods are compiled that every message goes through, and the one call that each
// published message makes.
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Martlet.Raw
{
    internal static unsafe class Hot
    {
        /// <summary>At once as well as the compiler can. Else .NET compiles each in haste, and
        /// again when it has been called often and a tenth of a second has passed without anything
        /// new to compile: the first hundreds of thousands of messages would take longer. What such
        /// a method calls is either inlined or marked too. netstandard2.1 has no name for it; a
        /// runtime that does not know it passes over it.</summary>
        internal const MethodImplOptions Path = (MethodImplOptions)512; // AggressiveOptimization.

        /// <summary>Throws EntryPointNotFoundException where the library lacks what is called with
        /// a claimed connection: an exception there would leave the claim.</summary>
        internal static void Find()
        {
            int status = Publish(IntPtr.Zero, null, 0, null, 0, null, 0, null, 0, null);
            if (status == Abi.Ok)
            {
                throw new EntryPointNotFoundException("martlet_connection_publish");
            }
        }

        /// <summary>For a connection that is claimed. Nothing of it has to be converted, so the
        /// compiler makes the call on the spot.</summary>
        [DllImport(NativeLoader.LoadedName, EntryPoint = "martlet_connection_publish")]
        internal static extern int Publish(
            IntPtr connection,
            byte* subject,
            long subjectBytes,
            byte* reply,
            long replyBytes,
            byte* headers,
            long headersBytes,
            byte* data,
            long dataBytes,
            IntPtr* error);
    }
}
