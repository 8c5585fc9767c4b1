// SPDX-License-Identifier: Apache-2.0
//
// Goal: a program ends within a second, with the right code, whatever way it ends and however many
// messages are under way; its children inherit nothing of ours; a native library that is missing or
// is not ours is named. Method: child processes ($MARTLET_TEST_COMMAND starts this assembly).
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
        /// <summary>How long a program may take to end: far below a second where nothing else runs,
        /// and what a busy machine with two processors adds to it. The times are printed.</summary>
        private const double EndSeconds = 20;

        [Fact(Seconds = 120)]
        public void EndsUnderLoad()
        {
            Check.Equal(7, EndOf("main"), "the end of main");
            Check.Equal(8, EndOf("exit"), "an exit call");
            int thrown = EndOf("throw");
            Check.True(thrown != 0, "an exception that nobody catches: " + thrown);
        }

        [Fact(Seconds = 120)]
        public void EndsByASignal()
        {
            Check.Equal(128 + 15, EndOf("wait", "-TERM"), "SIGTERM");
            Check.Equal(128 + 2, EndOf("wait", "-INT"), "SIGINT");
            Check.Equal(128 + 15, EndOf("next", "-TERM"), "SIGTERM, while it waits for a message");
            Check.Equal(128 + 2, EndOf("next", "-INT"), "Ctrl-C, while it waits for a message");

            // Mono hears Ctrl-C only at a terminal: without one it raises no CancelKeyPress, and
            // its programs end by the signal, whatever they do.
            Check.Equal(
                Runner.IsMono ? 128 + 2 : 9,
                EndOf("handled", "-INT"),
                "Ctrl-C that cancels the wait");
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

        private static int EndOf(string scenario, string? signal = null)
        {
            using Process child = Start(scenario);
            string? line = child.StandardOutput.ReadLine();
            Check.Equal("under load", line ?? child.StandardError.ReadToEnd());
            Stopwatch clock = Stopwatch.StartNew();
            if (signal != null)
            {
                Output("/bin/kill", signal + " " + child.Id);
            }

            if (!child.WaitForExit((int)(EndSeconds * 1000)))
            {
                child.Kill();
                throw new CheckException(scenario + " did not end within " + EndSeconds + " s");
            }

            Console.WriteLine("       " + scenario + " " + signal + ": " + clock.ElapsedMilliseconds
                + " ms, code " + child.ExitCode);
            return child.ExitCode;
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
