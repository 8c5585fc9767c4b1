// SPDX-License-Identifier: Apache-2.0
//
// Owns the brokers that a test runs against: ours in the process, over TCP or without a socket, and
// the real nats-server ($NATS_SERVER; its absence is a failure).
using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public enum BrokerKind
    {
        Tcp,
        InProcess,
        NatsServer,
    }

    public sealed class Broker : IDisposable
    {
        private readonly Process? process;
        private readonly string? folder;

        private Broker(BrokerKind kind, MartletServer? server, Process? process, string? folder)
        {
            Kind = kind;
            Server = server;
            this.process = process;
            this.folder = folder;
            Url = server?.Url ?? ReadPort();
        }

        public BrokerKind Kind { get; }

        public MartletServer? Server { get; }

        public string Url { get; }

        public static Broker Start(BrokerKind kind)
        {
            switch (kind)
            {
                case BrokerKind.Tcp:
                    return new Broker(kind, MartletServer.Start(), null, null);
                case BrokerKind.InProcess:
                    return new Broker(
                        kind,
                        MartletServer.Start(new MartletServerOptions { Listen = false }),
                        null,
                        null);
                default:
                    return StartNatsServer();
            }
        }

        public Task<MartletConnection> ConnectAsync(MartletConnectionOptions? options = null)
        {
            options ??= new MartletConnectionOptions();
            if (Kind == BrokerKind.InProcess)
            {
                return MartletConnection.ConnectAsync(Server!, options);
            }

            options.Url = Url;
            return MartletConnection.ConnectAsync(options);
        }

        /// <summary>A broker that is a process stands still, until Resume.</summary>
        public void Pause() => Signal("STOP");

        public void Resume() => Signal("CONT");

        public void Dispose()
        {
            Server?.Dispose();
            if (process != null)
            {
                process.Kill();
                process.WaitForExit();
                process.Dispose();
                Directory.Delete(folder!, true);
            }
        }

        private void Signal(string name)
        {
            using Process kill = Process.Start("/bin/kill", "-" + name + " " + process!.Id)!;
            Check.True(kill.WaitForExit(10_000), "kill ends");
            Check.Equal(0, kill.ExitCode);
        }

        private static Broker StartNatsServer()
        {
            string program = Environment.GetEnvironmentVariable("NATS_SERVER")
                ?? throw new InvalidOperationException("NATS_SERVER names no nats-server");
            string folder = Path.Combine(Path.GetTempPath(), "martlet-" + Guid.NewGuid());
            Directory.CreateDirectory(folder);
            var start = new ProcessStartInfo(
                program, "-a 127.0.0.1 -p -1 --ports_file_dir " + folder)
            {
                UseShellExecute = false,
                RedirectStandardError = true,
            };
            Process process = Process.Start(start)!;
            process.ErrorDataReceived += (sender, line) => { };
            process.BeginErrorReadLine();
            return new Broker(BrokerKind.NatsServer, null, process, folder);
        }

        private string ReadPort()
        {
            for (int tries = 0; tries < 500; tries++)
            {
                string? file = Directory.GetFiles(folder!, "*.ports").FirstOrDefault();
                string text = file == null ? string.Empty : File.ReadAllText(file);
                int begin = text.IndexOf("nats://", StringComparison.Ordinal);
                int end = begin < 0 ? -1 : text.IndexOf('"', begin);
                if (end > 0)
                {
                    return text.Substring(begin, end - begin);
                }

                Thread.Sleep(20);
            }

            throw new InvalidOperationException("nats-server told no port within 10 s");
        }
    }
}
