// SPDX-License-Identifier: Apache-2.0
//
// Owns the measurement of C# beside our C++ client, on one server, in one run, at 128 bytes: over
// TCP publish, callback, await foreach and the median of a request, beside client_rates; in the
// process the rate from one connection to another, the median of a request and the start of a
// broker, beside in_process_rates and a nats-server that is a child. Judges nothing.
// Martlet.Tests measure --server URL --rounds N --messages N --beside FOLDER [--json FILE]
//     [--only TEXT]  of our rows those whose name has the text, and nothing beside them
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class Measure
    {
        private const int PayloadBytes = 128;
        private const int Requests = 5_000;
        private const int Starts = 50;
        private static readonly byte[] Data = new byte[PayloadBytes];

        // `publish 128 B    bare  1.234 M/s   ours  1.000 M/s   ratio 0.81`
        private static readonly Regex RateLine =
            new Regex(@"^(\S.*?)\s+bare\s+[\d.]+ (\S+)\s+ours\s+([\d.]+) ");

        private readonly SortedDictionary<string, double> figures =
            new SortedDictionary<string, double>(StringComparer.Ordinal);

        private readonly Uri url;
        private readonly string beside;
        private readonly string only;
        private readonly int rounds;
        private readonly int messages;

        private Measure(Dictionary<string, string> options)
        {
            url = new Uri(options["--server"]);
            beside = options["--beside"];
            only = options.TryGetValue("--only", out string? text) ? text! : string.Empty;
            rounds = int.Parse(options["--rounds"], CultureInfo.InvariantCulture);
            messages = int.Parse(options["--messages"], CultureInfo.InvariantCulture);
        }

        public static async Task RunAsync(string[] arguments)
        {
            var options = new Dictionary<string, string>();
            for (int i = 0; i + 1 < arguments.Length; i += 2)
            {
                options[arguments[i]] = arguments[i + 1];
            }

            var measure = new Measure(options);
            if (measure.only.Length == 0)
            {
                measure.AddClientRates();
                measure.AddInProcessRates();
            }

            await measure.AddOwnAsync();
            if (options.TryGetValue("--json", out string? file))
            {
                File.WriteAllText(file!, "{" + string.Join(", ", measure.figures.Select(each =>
                    "\"" + each.Key + "\": " + each.Value.ToString(CultureInfo.InvariantCulture)))
                    + "}\n");
            }
        }

        private async Task AddOwnAsync()
        {
            await RowAsync("publish C#", PublishAsync);
            await RowAsync("callback C#", CallbackAsync);
            await RowAsync("await foreach C#", LoopAsync);
            using (var echo = new BareClient(url))
            {
                echo.Echo("bench.echo");
                await using MartletConnection asking = await ConnectAsync();
                await RowAsync("request C#", () => RequestAsync(asking));
            }

            await RowAsync("in-process callback C#", () => InProcessAsync(CallbackOfAsync));
            await RowAsync("in-process C#", () => InProcessAsync(LoopOfAsync));
            await RowAsync("in-process request C#", InProcessRequestAsync);
            await RowAsync("child request nats-server, C#", ChildRequestAsync);
            await RowAsync("in-process start C#", () => Task.FromResult(StartMicroseconds()));
            await RowAsync("child start nats-server", () => Task.FromResult(ChildMicroseconds()));
        }

        private async Task RowAsync(string name, Func<Task<double>> round)
        {
            if (!name.Contains(only))
            {
                return;
            }

            await round(); // The compiler of the runtime has its say in the first.
            var found = new List<double>();
            for (int i = 0; i < rounds; i++)
            {
                found.Add(await round());
            }

            Add(name, Median(found));
        }

        private void Add(string name, double figure)
        {
            figures[name] = figure;
            Console.WriteLine(string.Format(
                CultureInfo.InvariantCulture, "{0,-32} {1,14:F1}", name, figure));
        }

        private static double Median(List<double> values)
        {
            values.Sort();
            return values[values.Count / 2];
        }

        // --- C++, by its own programs ---

        private void AddClientRates()
        {
            var names = new Dictionary<string, string>
            {
                ["publish 128 B"] = "publish C++",
                ["receive 128 B, own thread"] = "receive C++",
                ["request p50, own thread"] = "request C++",
            };
            string words = url.Host + " " + url.Port + " " + messages + " " + rounds;
            foreach (string line in LinesOf("client_rates", words))
            {
                Match match = RateLine.Match(line);
                if (match.Success && names.TryGetValue(match.Groups[1].Value, out string? name))
                {
                    double scale = match.Groups[2].Value == "M/s" ? 1e6 : 1;
                    Add(name!, scale * Parse(match.Groups[3].Value));
                }
            }
        }

        private void AddInProcessRates()
        {
            string words = "--messages " + messages + " --rounds " + rounds;
            foreach (string line in LinesOf("in_process_rates", words))
            {
                int end = line.LastIndexOf(' ');
                Add(line.Substring(0, end).Trim(), Parse(line.Substring(end)));
            }
        }

        private IEnumerable<string> LinesOf(string program, string arguments)
        {
            var start = new ProcessStartInfo(Path.Combine(beside, program), arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
            };
            start.Environment.Remove("LD_LIBRARY_PATH"); // .NET's own OpenSSL is not for it.
            using Process process = Process.Start(start)!;
            string text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Check.Equal(0, process.ExitCode, program);
            return text.Split(new[] { '\n' }, StringSplitOptions.RemoveEmptyEntries);
        }

        private static double Parse(string text) =>
            double.Parse(text.Trim(), CultureInfo.InvariantCulture);

        // --- over TCP ---

        private Task<MartletConnection> ConnectAsync() =>
            MartletConnection.ConnectAsync("nats://" + url.Host + ":" + url.Port);

        private async Task<double> PublishAsync()
        {
            await using MartletConnection connection = await ConnectAsync();
            Stopwatch clock = Stopwatch.StartNew();
            await PublishAllAsync(connection, "bench.rate");
            await connection.FlushAsync(TimeSpan.FromMinutes(2));
            return messages / clock.Elapsed.TotalSeconds;
        }

        private Task<double> CallbackAsync() => ReceiveAsync(CallbackOfAsync);

        private Task<double> LoopAsync() => ReceiveAsync(LoopOfAsync);

        private async Task<double> ReceiveAsync(Func<MartletConnection, Task<Task>> receive)
        {
            await using MartletConnection connection = await ConnectAsync();
            using var publisher = new BareClient(url);
            Task received = await receive(connection);
            Stopwatch clock = Stopwatch.StartNew();
            Task publishing = Task.Run(
                () => publisher.Publish("bench.rate", PayloadBytes, messages + 1000));
            await received;
            double rate = messages / clock.Elapsed.TotalSeconds;
            await publishing;
            return rate;
        }

        private static async Task<double> RequestAsync(MartletConnection asking)
        {
            var microseconds = new List<double>();
            for (int i = 0; i < Requests; i++)
            {
                long begin = Stopwatch.GetTimestamp();
                await asking.RequestAsync("bench.echo", Data);
                microseconds.Add((Stopwatch.GetTimestamp() - begin) * 1e6 / Stopwatch.Frequency);
            }

            return Median(microseconds);
        }

        // --- both: begins to receive; done when all has come ---

        private async Task<Task> CallbackOfAsync(MartletConnection connection)
        {
            int left = messages;
            var done = new TaskCompletionSource<bool>(
                TaskCreationOptions.RunContinuationsAsynchronously);
            connection.Subscribe(
                "bench.rate",
                (Action<MartletMessage>)(message =>
                {
                    left -= message.Data.Length / PayloadBytes;
                    if (left == 0)
                    {
                        done.SetResult(true);
                    }
                }),
                options: Lossless());
            await connection.FlushAsync();
            return done.Task;
        }

        private async Task<Task> LoopOfAsync(MartletConnection connection)
        {
            MartletSubscription subscription =
                connection.SubscribeAsync("bench.rate", options: Lossless());
            await connection.FlushAsync();
            return Task.Run(async () =>
            {
                int left = messages;
                await foreach (MartletMessage message in subscription)
                {
                    left -= message.Data.Length / PayloadBytes;
                    if (left == 0)
                    {
                        break;
                    }
                }
            });
        }

        private async Task PublishAllAsync(MartletConnection connection, string subject)
        {
            for (int i = 0; i < messages; i++)
            {
                await connection.PublishAsync(subject, Data);
            }
        }

        private static MartletSubscriptionOptions Lossless() => new MartletSubscriptionOptions
        {
            PendingMessagesMax = 64 * 1024,
            PendingBytesMax = 64 * 1024 * 1024,
            FullPolicy = MartletFullPolicy.BlockReader,
        };

        // --- in the process ---

        private async Task<double> InProcessAsync(Func<MartletConnection, Task<Task>> receive)
        {
            using MartletServer server =
                MartletServer.Start(new MartletServerOptions { Listen = false });
            await using MartletConnection publisher = await MartletConnection.ConnectAsync(server);
            await using MartletConnection receiver = await MartletConnection.ConnectAsync(server);
            Task received = await receive(receiver);
            Stopwatch clock = Stopwatch.StartNew();
            Task publishing = Task.Run(() => PublishAllAsync(publisher, "bench.rate"));
            await received;
            double rate = messages / clock.Elapsed.TotalSeconds;
            await publishing;
            return rate;
        }

        private async Task<double> InProcessRequestAsync()
        {
            using MartletServer server =
                MartletServer.Start(new MartletServerOptions { Listen = false });
            await using MartletConnection asking = await MartletConnection.ConnectAsync(server);
            await using MartletConnection answering = await MartletConnection.ConnectAsync(server);
            return await AskAsync(asking, answering);
        }

        private async Task<double> ChildRequestAsync()
        {
            using Broker broker = Broker.Start(BrokerKind.NatsServer);
            await using MartletConnection asking = await broker.ConnectAsync();
            await using MartletConnection answering = await broker.ConnectAsync();
            return await AskAsync(asking, answering);
        }

        private static async Task<double> AskAsync(
            MartletConnection asking, MartletConnection answering)
        {
            answering.Subscribe(
                "bench.echo",
                (Action<MartletMessage>)(message => _ = message.ReplyAsync(message.Data)));
            await answering.FlushAsync();
            return await RequestAsync(asking);
        }

        private static double StartMicroseconds()
        {
            var microseconds = new List<double>();
            for (int i = 0; i < Starts; i++)
            {
                Stopwatch clock = Stopwatch.StartNew();
                using MartletServer server = MartletServer.Start();
                microseconds.Add(clock.Elapsed.TotalMilliseconds * 1000);
            }

            return Median(microseconds);
        }

        /// <summary>From the start of the process until it says that it is ready.</summary>
        private static double ChildMicroseconds()
        {
            var microseconds = new List<double>();
            for (int i = 0; i < 5; i++)
            {
                var start = new ProcessStartInfo(
                    Environment.GetEnvironmentVariable("NATS_SERVER") ?? "nats-server",
                    "-a 127.0.0.1 -p -1")
                {
                    UseShellExecute = false,
                    RedirectStandardError = true,
                };
                Stopwatch clock = Stopwatch.StartNew();
                using Process child = Process.Start(start)!;
                string? line;
                do
                {
                    line = child.StandardError.ReadLine();
                }
                while (line != null && !line.Contains("Server is ready"));
                microseconds.Add(clock.Elapsed.TotalMilliseconds * 1000);
                child.Kill();
                child.WaitForExit();
                Check.True(line != null, "nats-server says that it is ready");
            }

            return Median(microseconds);
        }
    }
}
