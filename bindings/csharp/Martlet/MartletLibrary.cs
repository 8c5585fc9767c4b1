// SPDX-License-Identifier: Apache-2.0
//
// Owns what the package tells of itself.
using Martlet.Raw;

namespace Martlet
{
    /// <summary>What the native library that is loaded says of itself.</summary>
    public static class MartletLibrary
    {
        /// <summary>The release, such as "0.1.0".</summary>
        /// <exception cref="MartletNativeLibraryException">It is missing, damaged or of another
        /// version.</exception>
        public static unsafe string Version
        {
            get
            {
                NativeLoader.EnsureLoaded();
                return Utf8.Decode(Native.martlet_version_text(out long bytes), bytes);
            }
        }

        /// <summary>Its ABI: major * 1000 + minor.</summary>
        public static int AbiVersion
        {
            get
            {
                NativeLoader.EnsureLoaded();
                return Native.martlet_abi_version();
            }
        }
    }
}
