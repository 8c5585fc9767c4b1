// SPDX-License-Identifier: Apache-2.0
//
// Owns what the package tells of itself.
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>What the native library that is loaded says of itself.</summary>
    public static class MartletLibrary
    {
        /// <summary>The release, such as "0.1.0".</summary>
        /// <exception cref="MartletNativeLibraryException">It is missing, damaged or of another
        /// version.</exception>
        public static string Version
        {
            get
            {
                NativeLoader.EnsureLoaded();
                return ReadVersion();
            }
        }

        /// <summary>Its ABI: major * 1000 + minor.</summary>
        public static int AbiVersion
        {
            get
            {
                NativeLoader.EnsureLoaded();
                return ReadAbiVersion();
            }
        }

        /// <summary>What is linked into it: names, such as "OpenSSL", and their versions.</summary>
        public static IReadOnlyDictionary<string, string> LinkedVersions
        {
            get
            {
                NativeLoader.EnsureLoaded();
                var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
                foreach (KeyValuePair<string, object?> each in
                    JsonReader.ReadObject(ReadLinkedVersions()))
                {
                    found[each.Key] = each.Value?.ToString() ?? string.Empty;
                }

                return found;
            }
        }

        // Methods of their own: mono looks for a native function when it compiles who calls it,
        // which must not be before the library is loaded.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static unsafe string ReadVersion() =>
            Utf8.Decode(Native.martlet_version_text(out long bytes), bytes);

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static int ReadAbiVersion() => Native.martlet_abi_version();

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static string ReadLinkedVersions()
        {
            Status.Check(
                Native.martlet_linked_versions(out TextHandle json, out IntPtr error), error);
            return Status.Take(json);
        }
    }
}
