// SPDX-License-Identifier: Apache-2.0
//
// Owns how a status of the C ABI becomes an exception, and how its texts are read.
using System;
using System.Runtime.CompilerServices;

namespace Martlet.Raw
{
    internal static unsafe class Status
    {
        /// <summary>Passes what is no failure; throws the exception of what is one. Ends `error`.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal static int Check(int status, IntPtr error)
        {
            if (status >= 0)
            {
                return status;
            }

            throw Failure(status, error);
        }

        internal static MartletException Failure(int status, IntPtr error)
        {
            string text = NameOf(status);
            if (error != IntPtr.Zero)
            {
                text = Utf8.Decode(Native.martlet_error_text(error, out long bytes), bytes);
                Ends.martlet_error_free(error);
            }

            return MartletException.FromStatus(status, text);
        }

        internal static string NameOf(int status)
        {
            byte* name = Native.martlet_status_name(status, out long bytes);
            return Utf8.Decode(name, bytes);
        }

        /// <summary>What a descriptor's failure says that has no words of its own.</summary>
        internal static string Explain(int status)
        {
            switch (status)
            {
                case Abi.ErrTimeout:
                    return "no answer in time";
                case Abi.ErrClosed:
                    return "the connection was closed";
                case Abi.ErrDisconnected:
                    return "the connection was lost";
                default:
                    return NameOf(status);
            }
        }

        /// <summary>What the text says. Ends it.</summary>
        internal static string Take(TextHandle text)
        {
            using (text)
            {
                return Utf8.Decode(Native.martlet_text_get(text, out long bytes), bytes);
            }
        }
    }
}
