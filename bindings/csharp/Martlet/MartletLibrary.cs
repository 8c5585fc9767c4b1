// SPDX-License-Identifier: Apache-2.0
//
// Owns what the package tells of itself.
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

        // Methods of their own: mono looks for a native function when it compiles who calls it,
        // which must not be before the library is loaded.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static unsafe string ReadVersion() =>
            Utf8.Decode(Native.martlet_version_text(out long bytes), bytes);

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static int ReadAbiVersion() => Native.martlet_abi_version();
    }
}
