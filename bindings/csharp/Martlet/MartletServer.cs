// SPDX-License-Identifier: Apache-2.0
//
// Owns a broker inside this process.
using System;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>A NATS-compatible broker in this process. It prints nothing and installs no signal
    /// handler; any number may live at once. Any thread; start and stop one at a time. A server
    /// that nobody holds any more stops when it is collected.</summary>
    public sealed class MartletServer : IDisposable, IAsyncDisposable
    {
        private readonly MartletServerOptions options;
        private readonly object gate = new object();
        private LogThread? log;

        /// <summary>Makes a broker that does not run yet.</summary>
        /// <param name="options">Null: any free port of the loopback address.</param>
        /// <exception cref="MartletOptionsException">An option is wrong; the text names it.
        /// </exception>
        public MartletServer(MartletServerOptions? options = null)
        {
            NativeLoader.EnsureLoaded();
            this.options = options ?? new MartletServerOptions();
            Handle = Make(this.options);
        }

        /// <summary>The port that clients connect to; 0 if it listens on none.</summary>
        public int Port
        {
            get
            {
                int port = 0;
                Call((ServerHandle server, out IntPtr error) =>
                    Native.martlet_server_client_port(server, out port, out error));
                return port;
            }
        }

        /// <summary>The port of the monitoring pages; 0 if there are none.</summary>
        public int MonitoringPort
        {
            get
            {
                int port = 0;
                Call((ServerHandle server, out IntPtr error) =>
                    Native.martlet_server_monitoring_port(server, out port, out error));
                return port;
            }
        }

        /// <summary>The URL that clients on this machine connect to; empty if it listens on no
        /// port.</summary>
        public string Url
        {
            get
            {
                TextHandle? url = null;
                Call((ServerHandle server, out IntPtr error) =>
                    Native.martlet_server_url(server, out url, out error));
                return Status.Take(url!);
            }
        }

        internal ServerHandle Handle { get; }

        /// <summary>Makes a broker and starts it.</summary>
        /// <param name="options">Null: any free port of the loopback address.</param>
        /// <returns>The running broker.</returns>
        public static MartletServer Start(MartletServerOptions? options = null)
        {
            var server = new MartletServer(options);
            try
            {
                server.Start();
            }
            catch
            {
                server.Dispose();
                throw;
            }

            return server;
        }

        /// <summary>Starts the broker: when it returns, clients can connect. Takes a millisecond or
        /// so. A stopped broker may start again.</summary>
        /// <exception cref="MartletAddressInUseException">The port is taken.</exception>
        /// <exception cref="MartletStateException">It runs already.</exception>
        public void Start()
        {
            lock (gate)
            {
                LogThread? started =
                    options.Log != null && log == null ? new LogThread(options.Log) : null;
                try
                {
                    if (started != null)
                    {
                        int level = (int)options.LogLevel;
                        Call((ServerHandle server, out IntPtr error) =>
                            Native.martlet_server_set_log(
                                server, started.Queue, 0, level, out error));
                    }

                    Call(Native.martlet_server_start);
                }
                catch
                {
                    started?.Close();
                    throw;
                }

                if (started != null)
                {
                    log = started;
                    Handle.Ended = started.Close;
                }
            }
        }

        /// <summary>Stops the broker and closes every connection to it. Does nothing if it does not
        /// run. Blocks until its threads have ended and each line of its log is handed over.
        /// </summary>
        public void Stop()
        {
            LogThread? last;
            lock (gate)
            {
                Call(Native.martlet_server_stop);
                last = log;
                log = null;
            }

            // Not under the lock: the program's delegate may be in a call of this server.
            last?.Close();
            last?.Join();
        }

        /// <summary>What the broker counts.</summary>
        /// <returns>The counts of this moment.</returns>
        public MartletServerStatistics GetStatistics()
        {
            TextHandle? json = null;
            Call((ServerHandle server, out IntPtr error) =>
                Native.martlet_server_statistics(server, out json, out error));
            return new MartletServerStatistics(JsonReader.ReadObject(Status.Take(json!)));
        }

        /// <summary>For people: where it is to be found.</summary>
        /// <returns>One line.</returns>
        public override string ToString()
        {
            try
            {
                string url = Url;
                return "MartletServer[" + (url.Length > 0 ? url : "no port") + "]";
            }
            catch (Exception stopped) when (
                stopped is MartletStateException || stopped is MartletConnectionClosedException)
            {
                return "MartletServer[stopped]";
            }
        }

        /// <summary>Stops and ends the broker. May be called twice.</summary>
        public void Dispose()
        {
            if (Handle.IsClosed)
            {
                return;
            }

            try
            {
                Stop();
            }
            catch (MartletConnectionClosedException)
            {
                return; // Another thread has disposed it meanwhile.
            }
            finally
            {
                Handle.Dispose();
            }
        }

        /// <summary>The same; a thread of its own does the waiting.</summary>
        /// <returns>Done when the broker has ended.</returns>
        public ValueTask DisposeAsync()
        {
            if (Handle.IsClosed)
            {
                return default;
            }

            return new ValueTask(Threads.RunBlocking(Dispose, "martlet-stop"));
        }

        private void Call(NativeCall<ServerHandle> call) =>
            Calls.Run(Handle, "the server is disposed", call);

        private static unsafe ServerHandle Make(MartletServerOptions options)
        {
            OptionsText text = options.ToOptions();
            byte[] bytes = options.Configuration == null
                ? text.ToBytes()
                : Utf8.Encode(
                    options.Configuration, nameof(MartletServerOptions.Configuration));
            fixed (byte* first = bytes)
            {
                int status = Native.martlet_server_new(
                    first, bytes.Length, out ServerHandle made, out IntPtr error);
                text.Check(status, error);
                return made;
            }
        }

        /// <summary>Carries log lines to the program's delegate. One for each run.</summary>
        private sealed class LogThread
        {
            private readonly Action<MartletLogLevel, string> target;
            private readonly Thread thread;

            internal LogThread(Action<MartletLogLevel, string> target)
            {
                this.target = target;
                Queue = Queues.MakeOpen();
                thread = Threads.Start(Run, "martlet-log");
            }

            internal QueueHandle Queue { get; }

            internal void Close() => Queues.Close(Queue);

            internal void Join()
            {
                if (Thread.CurrentThread != thread)
                {
                    thread.Join();
                }
            }

            private void Run()
            {
                while (Queues.Wait(Queue, out Block? block))
                {
                    for (int i = 0; i < block!.Count; i++)
                    {
                        HandOver(block, block.At(i));
                    }
                }

                Queue.Dispose();
            }

            private void HandOver(Block block, int at)
            {
                if (block.Int32(at + Abi.DescriptorKindOffset) != Abi.KindLogLine)
                {
                    return;
                }

                string line = block.Text(
                    at + Abi.DescriptorDataOffsetOffset, at + Abi.DescriptorDataBytesOffset);
                try
                {
                    target((MartletLogLevel)block.Int32(at + Abi.DescriptorFlagsOffset), line);
                }
                catch (Exception error)
                {
                    Unheard.Tell("the log delegate of a server threw", error);
                }
            }
        }
    }
}
