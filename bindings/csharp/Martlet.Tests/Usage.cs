// SPDX-License-Identifier: Apache-2.0
//
// Owns what the tests of leaks count: threads, descriptors, native handles and memory of this
// process. A runtime adds threads to its pool when the machine is busy, and a thread has objects:
// so what is counted is ours, as far as it can be told.
using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    /// <summary>What there is at a moment, after a collection.</summary>
    internal sealed class Usage
    {
        /// <summary>Mono tells the system the names of threads, so that ours can be told, but for
        /// one that the pool begins on a thread of ours: its name is ours until it has its own, and
        /// some never get one. .NET Core 3.1 tells none: there all are counted.</summary>
        internal static readonly int ThreadsMax = Runner.IsMono ? 4 : 6;

        /// <summary>A thousand cycles that each leave 4 KiB of native memory, or 2 KiB of
        /// objects, are seen; what the two allocators keep for themselves is not.</summary>
        private const long ResidentBytesMax = 4 * 1024 * 1024;

        private const long ObjectBytesMax = 2 * 1024 * 1024;

        /// <summary>How often more is lived when something has become more.</summary>
        private const int HalvesMoreMax = 12;

        private const int HandlesMax = 2;
        private const int DescriptorsMax = 2;

        /// <summary>What a thread of the pool may have of its own: 96 KiB to poll with, and its
        /// stack.</summary>
        private const long PoolThreadBytes = 256 * 1024;

        /// <summary>How many threads mono's pool may add; a thousand cycles that each leave one
        /// blocked are seen.</summary>
        private const int PoolThreadsMax = 200;

        /// <summary>The signals that the library's own threads have blocked, and no others: all but
        /// those of a fault (core/io/signal_shield.hpp).</summary>
        private const string ShieldMask = "fffffffe3ffbfa07";

        private static readonly PropertyInfo Alive = typeof(MartletServer).Assembly
            .GetType("Martlet.Raw.NativeHandle", true)!
            .GetProperty("Alive", BindingFlags.Static | BindingFlags.NonPublic)!;

        private readonly long residentBytes;
        private readonly long objectBytes;
        private readonly int poolThreads;

        internal Usage()
        {
            Collect();
            objectBytes = GC.GetTotalMemory(true);
            string pages = File.ReadAllText("/proc/self/statm").Split(' ')[1];
            residentBytes = long.Parse(pages, CultureInfo.InvariantCulture) * 4096;
            string[] tasks = Directory.GetDirectories("/proc/self/task");
            NativeTasks = tasks.Where(IsNative).ToArray();
            Threads = Runner.IsMono
                ? NativeThreads + tasks.Count(IsNamed)
                : tasks.Length;
            poolThreads = tasks.Length - Threads;
            Descriptors = Directory.GetFileSystemEntries("/proc/self/fd").Length;
            Handles = (int)Alive.GetValue(null)!;
        }

        /// <summary>The threads of the library, each by its folder in /proc.</summary>
        internal string[] NativeTasks { get; }

        internal int NativeThreads => NativeTasks.Length;

        /// <summary>Those of the library, and the package's.</summary>
        internal int Threads { get; }

        internal int Descriptors { get; }

        internal int Handles { get; }

        public override string ToString() =>
            Threads + " threads (" + NativeThreads + " native, beside " + poolThreads + "), "
            + Descriptors + " descriptors, " + Handles + " handles, " + (objectBytes / 1024)
            + " KiB of objects, " + (residentBytes / 1024) + " KiB resident";

        internal static void Collect()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        }

        /// <summary>What there is when nothing of earlier tests ends any more.</summary>
        internal static async Task<Usage> SettledAsync()
        {
            Usage last;
            Usage now = new Usage();
            do
            {
                last = now;
                await Task.Delay(200);
                now = new Usage();
            }
            while (now.NativeThreads < last.NativeThreads || now.Handles < last.Handles
                || now.Descriptors < last.Descriptors);
            return now;
        }

        /// <summary>After both halves nothing has become more. If something has, another half is
        /// lived and the latest two are judged: what a compiler or a pool takes, it takes once.
        /// </summary>
        internal static async Task StaysFlatAsync(Func<Task> half)
        {
            var before = new Usage();
            await half();
            var middle = new Usage();
            await half();
            for (int more = 0; more < HalvesMoreMax && !before.IsFlat(new Usage()); more++)
            {
                before = middle;
                middle = new Usage();
                await half();
            }

            await before.FlatAsync();
        }

        /// <summary>Soon nothing has become more.</summary>
        internal async Task FlatAsync()
        {
            Usage now = new Usage();
            for (int tries = 0; tries < 50 && !IsFlat(now); tries++)
            {
                await Task.Delay(200);
                now = new Usage();
            }

            Console.WriteLine("       before: " + this + "; after: " + now);
            Check.True(IsFlat(now), "flat: before " + this + "; after " + now);
        }

        internal bool IsFlat(Usage now)
        {
            long pool = Math.Max(0, now.poolThreads - poolThreads);
            return now.Threads <= Threads + ThreadsMax && pool <= PoolThreadsMax
                && now.Descriptors <= Descriptors + DescriptorsMax
                && now.Handles <= Handles + HandlesMax
                && now.objectBytes <= objectBytes + ObjectBytesMax + (pool * PoolThreadBytes)
                && now.residentBytes <= residentBytes + ResidentBytesMax
                    + (pool * PoolThreadBytes);
        }

        private static bool IsNative(string task) => Read(task, "status").Contains(ShieldMask);

        /// <summary>A thread of the package; 15 characters of its name are known.</summary>
        private static bool IsNamed(string task) =>
            Read(task, "comm").StartsWith("martlet-", StringComparison.Ordinal)
            && !IsNative(task);

        private static string Read(string task, string file)
        {
            try
            {
                return File.ReadAllText(Path.Combine(task, file));
            }
            catch (IOException)
            {
                return string.Empty; // It has ended meanwhile.
            }
        }
    }
}
