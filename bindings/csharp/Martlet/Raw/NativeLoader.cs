// SPDX-License-Identifier: Apache-2.0
//
// Owns where the native library comes from. It is opened by its path, once, before the first call;
// the runtime's own search then finds it by the name inside it, which no file has. So a copy that
// lies elsewhere is never taken instead, and a library that is missing, damaged or of another
// version is an exception that names the file.
using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

namespace Martlet.Raw
{
    internal static unsafe class NativeLoader
    {
        internal const string FileName = "libmartlet_csharp.so";
        internal const string LoadedName = "martlet_csharp_loaded";
        internal const string PathVariable = "MARTLET_NATIVE_LIBRARY";
        internal const string PathSwitch = "Martlet.NativeLibrary";

        private const int BindNow = 2; // RTLD_NOW

        private static readonly object Gate = new object();
        private static volatile bool loaded;
        private static string? failure;

        /// <summary>Opens the library unless it is open. Throws MartletNativeLibraryException, each
        /// time the same.</summary>
        internal static void EnsureLoaded()
        {
            if (loaded)
            {
                return;
            }

            lock (Gate)
            {
                if (loaded)
                {
                    return;
                }

                failure ??= TryLoad();
                if (failure != null)
                {
                    throw new MartletNativeLibraryException(failure);
                }

                loaded = true;
            }
        }

        private static string? TryLoad()
        {
            string path = Find(out string? missing);
            if (missing != null)
            {
                return missing;
            }

            string? damage = DamageOf(path);
            if (damage != null)
            {
                return "the native library " + path + " cannot be loaded: " + damage;
            }

            IntPtr library;
            try
            {
                library = Open(path);
            }
            catch (DllNotFoundException error)
            {
                return "the native library " + path + " cannot be opened here: " + error.Message;
            }

            if (library == IntPtr.Zero)
            {
                return "the native library " + path + " cannot be loaded: " + LastError();
            }

            return CheckVersion(path);
        }

        private static string? CheckVersion(string path)
        {
            int version;
            try
            {
                version = Native.martlet_abi_version();
                if (IsEnough(version))
                {
                    Hot.Find();
                    return null;
                }
            }
            catch (Exception error)
                when (error is DllNotFoundException || error is EntryPointNotFoundException)
            {
                return path + " is not the native library of this package: " + error.Message;
            }

            return "the native library " + path + " has the ABI " + (version / 1000) + "."
                + (version % 1000) + ", this assembly needs " + Abi.AbiMajor + "." + Abi.AbiMinor;
        }

        private static bool IsEnough(int version) =>
            version / 1000 == Abi.AbiMajor && version % 1000 >= Abi.AbiMinor;

        private static string Find(out string? missing)
        {
            missing = null;
            string? given = Environment.GetEnvironmentVariable(PathVariable);
            if (string.IsNullOrEmpty(given))
            {
                given = AppContext.GetData(PathSwitch) as string;
            }

            if (!string.IsNullOrEmpty(given))
            {
                string chosen = Directory.Exists(given) ? Path.Combine(given, FileName) : given!;
                if (!File.Exists(chosen))
                {
                    missing = "the native library " + chosen + " is not there (" + PathVariable
                        + " or " + PathSwitch + " names it)";
                }

                return chosen;
            }

            List<string> places = Places();
            foreach (string place in places)
            {
                if (File.Exists(place))
                {
                    return place;
                }
            }

            missing = "the native library " + FileName + " is not there; looked for "
                + string.Join(", ", places);
            return FileName;
        }

        private static List<string> Places()
        {
            string system = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
                ? "linux-arm64"
                : "linux-x64";
            var folders = new List<string>();
            string? beside = Path.GetDirectoryName(typeof(NativeLoader).Assembly.Location);
            foreach (string? folder in new[] { beside, AppContext.BaseDirectory })
            {
                if (!string.IsNullOrEmpty(folder))
                {
                    folders.Add(Path.Combine(folder, "runtimes", system, "native"));
                    folders.Add(folder!);
                }
            }

            // What the host has found in the packages of the program.
            if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string searched)
            {
                folders.AddRange(searched.Split(
                    new[] { Path.PathSeparator }, StringSplitOptions.RemoveEmptyEntries));
            }

            var places = new List<string>();
            foreach (string folder in folders)
            {
                string place = Path.Combine(folder, FileName);
                if (!places.Contains(place))
                {
                    places.Add(place);
                }
            }

            return places;
        }

        /// <summary>The system's own loader ends the process over a file that was cut off: its
        /// table of sections, which stands last, must be there. Null: nothing is wrong.</summary>
        private static string? DamageOf(string path)
        {
            const int HeaderBytes = 64;
            try
            {
                byte[] header = new byte[HeaderBytes];
                using (FileStream file = File.OpenRead(path))
                {
                    bool isWhole = file.Read(header, 0, HeaderBytes) == HeaderBytes;
                    if (!isWhole || header[0] != 0x7f || header[1] != 'E' || header[2] != 'L'
                        || header[3] != 'F')
                    {
                        return "it is no shared library";
                    }

                    long end = BitConverter.ToInt64(header, 40)
                        + ((long)BitConverter.ToUInt16(header, 58)
                            * BitConverter.ToUInt16(header, 60));
                    return file.Length < end ? "it is cut off" : null;
                }
            }
            catch (Exception error)
                when (error is IOException || error is UnauthorizedAccessException)
            {
                return error.Message;
            }
        }

        private static IntPtr Open(string path)
        {
            byte[] name = Encoding.UTF8.GetBytes(path + "\0");
            fixed (byte* first = name)
            {
                return dlopen(first, BindNow);
            }
        }

        private static string LastError()
        {
            IntPtr text = dlerror();
            return Marshal.PtrToStringAnsi(text) ?? "no reason given";
        }

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlopen(byte* path, int flags);

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlerror();
    }
}
