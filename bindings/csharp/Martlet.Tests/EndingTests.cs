// SPDX-License-Identifier: Apache-2.0
//
// Goal: a program ends within a second, with the right code, whatever way it ends, while a hundred
// thousand messages a second are under way; its children inherit nothing of ours; a native library
// that is missing or is not ours is named. Method: child processes ($MARTLET_TEST_COMMAND starts
// this assembly).
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class EndingTests
    {
        /// <summary>What an end under load may take in the best of Tries: others may have the
        /// machine busy.</summary>
        private const double EndSecondsMax = 1;

        private const int Tries = 3;

        /// <summary>Longer is hanging.</summary>
        private const int HangSeconds = 20;

        [Fact(Seconds = 240)]
        public void EndsUnderLoad()
        {
            EndsWith(7, "main");
            EndsWith(8, "exit");

            // .NET aborts, 128 + SIGABRT; mono ends with 1.
            EndsWith(Runner.IsMono ? 1 : 128 + 6, "throw");
        }

        [Fact(Seconds = 240)]
        public void EndsByASignal()
        {
            EndsWith(128 + 15, "wait", "-TERM");
            EndsWith(128 + 2, "wait", "-INT");
            EndsWith(128 + 15, "next", "-TERM");
            EndsWith(128 + 2, "next", "-INT");

            // Mono hears Ctrl-C only at a terminal: without one it raises no CancelKeyPress, and
            // its programs end by the signal, whatever they do.
            EndsWith(Runner.IsMono ? 128 + 2 : 9, "handled", "-INT");
        }

        [Fact(Seconds = 240)]
        public async Task ChildrenInheritNothing()
        {
            string before = Output("/bin/sh", "-c \"ls -l /proc/self/fd\"");
            using MartletServer server = MartletServer.Start();
            await using MartletConnection connection =
                await MartletConnection.ConnectAsync(server.Url);
            MartletSubscription subscription = connection.SubscribeAsync("load");
            bool over = false;
            byte[] data = new byte[128];
            Task publishing = Task.Run(async () =>
            {
                while (!over)
                {
                    await connection.PublishAsync("load", data);
                }
            });
            Task reading = Task.Run(async () =>
            {
                await foreach (MartletMessage message in subscription)
                {
                    Check.Equal(128, message.Data.Length);
                }
            });
            for (int i = 0; i < 200; i++)
            {
                string links = Output("/bin/sh", "-c \"ls -l /proc/self/fd\"");
                foreach (string link in links.Split('\n').Where(IsOfAKindThatWeUse))
                {
                    string target = link.Substring(link.IndexOf("->", StringComparison.Ordinal));
                    Check.True(before.Contains(target), "a descriptor of ours: " + link);
                }
            }

            over = true;
            await Check.InTimeAsync(publishing);
            subscription.Unsubscribe();
            await Check.InTimeAsync(reading);
        }

        [Fact(Seconds = 120)]
        public async Task AChildUsesTheParentsBroker()
        {
            using MartletServer server = MartletServer.Start();
            await using MartletConnection connection =
                await MartletConnection.ConnectAsync(server);
            MartletSubscription subscription = connection.SubscribeAsync("child");
            await connection.FlushAsync();
            using Process child = Start("connect " + server.Url);
            Check.Equal("here", (await Check.InTimeAsync(
                subscription.NextAsync().AsTask(), 30)).Text);
            Check.True(child.WaitForExit(10_000), "it ends");
            Check.Equal(0, child.ExitCode);
        }

        [Fact(Seconds = 120)]
        public void ANativeLibraryThatIsMissing()
        {
            string folder = Path.Combine(Path.GetTempPath(), "martlet-" + Guid.NewGuid());
            Directory.CreateDirectory(folder);
            try
            {
                string missing = Path.Combine(folder, "libmartlet_csharp.so");
                Check.Contains(missing, FailureWith(folder));
                Check.Contains("nowhere.so", FailureWith(Path.Combine(folder, "nowhere.so")));
                File.WriteAllText(missing, "no library");
                Check.Contains(missing, FailureWith(folder));
                string real = FindNative();
                using (FileStream half = File.Create(missing))
                {
                    half.Write(File.ReadAllBytes(real), 0, 4096);
                }

                Check.Contains(missing, FailureWith(missing));
                string other = Directory.GetFiles("/lib/x86_64-linux-gnu", "libm.so.6").Single();
                Check.Contains(other, FailureWith(other));
                Check.Equal(MartletLibrary.Version, VersionWith(real));
            }
            finally
            {
                Directory.Delete(folder, true);
            }
        }

        /// <summary>No copy of it is made: whether a temporary folder may hold programs is nothing
        /// to the package.</summary>
        [Fact]
        public void TheNativeLibraryIsUsedWhereItStands()
        {
            Check.True(MartletLibrary.Version.Length > 0, "it is loaded");
            IEnumerable<string> mapped = File.ReadAllLines("/proc/self/maps")
                .Where(line => line.Contains("martlet_csharp"))
                .Select(line => line.Substring(line.IndexOf('/')))
                .Distinct();
            Check.Equal(FindNative(), string.Join(", ", mapped));
        }

        /// <summary>One that is made here, and has nothing but the number of its ABI.</summary>
        [Fact(Seconds = 120)]
        public void ANativeLibraryOfAnotherAbi()
        {
            string folder = Path.Combine(Path.GetTempPath(), "martlet-" + Guid.NewGuid());
            Directory.CreateDirectory(folder);
            try
            {
                string source = Path.Combine(folder, "other.c");
                string other = Path.Combine(folder, "libother.so");
                File.WriteAllText(
                    source,
                    "int CSharp_MartletfRaw_martlet_abi_version___(void) { return 99007; }");
                Output("/usr/bin/cc", "-shared -fPIC -Wl,-soname,libmartlet_csharp_loaded.so -o "
                    + other + " " + source);
                string failure = FailureWith(other);
                Check.Contains(other, failure);
                Check.Contains("99.7", failure);
            }
            finally
            {
                Directory.Delete(folder, true);
            }
        }

        private static bool IsOfAKindThatWeUse(string link) =>
            link.Contains("socket:") || link.Contains("eventfd") || link.Contains("eventpoll")
            || link.Contains("timerfd");

        private static string FindNative() => Directory.GetFiles(
            Path.GetDirectoryName(typeof(MartletServer).Assembly.Location)!,
            "libmartlet_csharp.so",
            SearchOption.AllDirectories).First();

        private static string FailureWith(string path)
        {
            (int code, string text) = RunVersion(path);
            Check.True(code != 0, "it fails with " + path);
            Check.Contains("MartletNativeLibraryException", text);
            return text;
        }

        private static string VersionWith(string path)
        {
            (int code, string text) = RunVersion(path);
            Check.Equal(0, code, text);
            return text.Trim();
        }

        private static (int Code, string Text) RunVersion(string path)
        {
            using Process child = Start(
                "version",
                new Dictionary<string, string> { ["MARTLET_NATIVE_LIBRARY"] = path });
            Task<string> errors = child.StandardError.ReadToEndAsync();
            string text = child.StandardOutput.ReadToEnd();
            Check.True(child.WaitForExit(30_000), "it ends");
            return (child.ExitCode, text + errors.Result);
        }

        /// <summary>With this code each time, and soon in one of a few tries.</summary>
        private static void EndsWith(int code, string scenario, string? signal = null)
        {
            double best = double.MaxValue;
            for (int tries = 0; tries < Tries && best > EndSecondsMax; tries++)
            {
                best = Math.Min(best, SecondsOfEnd(code, scenario, signal));
            }

            Check.True(best <= EndSecondsMax, scenario + " ends at once, not after " + best + " s");
        }

        /// <summary>From when the child says that its end begins, or from before the signal, to
        /// when it has ended. All processes have one clock.</summary>
        private static double SecondsOfEnd(int code, string scenario, string? signal)
        {
            using Process child = Start(scenario);
            string line = child.StandardOutput.ReadLine() ?? child.StandardError.ReadToEnd();
            string[] words = line.Split(' ');
            Check.True(words.Length == 4 && words[0] == "under" && words[1] == "load", line);
            Check.True(long.Parse(words[2]) >= Children.LoadRate, line);
            long begin = long.Parse(words[3]);
            if (signal != null)
            {
                begin = Stopwatch.GetTimestamp();
                Output("/bin/kill", signal + " " + child.Id);
            }

            if (!child.WaitForExit(HangSeconds * 1000))
            {
                child.Kill();
                throw new CheckException(scenario + " did not end within " + HangSeconds + " s");
            }

            double seconds = (Stopwatch.GetTimestamp() - begin) / (double)Stopwatch.Frequency;
            Check.Equal(code, child.ExitCode, scenario + " " + signal);
            Console.WriteLine("       " + scenario + " " + signal + " under " + words[2]
                + " messages a second: " + (int)(seconds * 1000) + " ms");
            return seconds;
        }

        private static string Output(string program, string arguments)
        {
            var start = new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
            };
            using Process process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd();
            Check.True(process.WaitForExit(10_000), program + " ends");
            return output;
        }

        private static Process Start(
            string arguments, Dictionary<string, string>? environment = null)
        {
            string command = Environment.GetEnvironmentVariable("MARTLET_TEST_COMMAND")
                ?? throw new InvalidOperationException("MARTLET_TEST_COMMAND is not set");
            int space = command.IndexOf(' ');
            var start = new ProcessStartInfo(
                command.Substring(0, space), command.Substring(space) + " child " + arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (KeyValuePair<string, string> each in environment
                ?? new Dictionary<string, string>())
            {
                start.Environment[each.Key] = each.Value;
            }

            return Process.Start(start)!;
        }
    }
}
