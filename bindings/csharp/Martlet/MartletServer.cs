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
        private readonly ServerHandle handle;
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
            handle = Make(this.options);
        }

        /// <summary>The port that clients connect to; 0 if it listens on none.</summary>
        public int Port
        {
            get
            {
                int status = Native.martlet_server_client_port(
                    Alive, out int port, out IntPtr error);
                Status.Check(status, error);
                return port;
            }
        }

        /// <summary>The port of the monitoring pages; 0 if there are none.</summary>
        public int MonitoringPort
        {
            get
            {
                int status = Native.martlet_server_monitoring_port(
                    Alive, out int port, out IntPtr error);
                Status.Check(status, error);
                return port;
            }
        }

        /// <summary>The URL that clients on this machine connect to; empty if it listens on no
        /// port.</summary>
        public string Url
        {
            get
            {
                int status = Native.martlet_server_url(
                    Alive, out TextHandle url, out IntPtr error);
                Status.Check(status, error);
                return Status.Take(url);
            }
        }

        internal ServerHandle Alive =>
            handle.IsClosed
                ? throw new MartletConnectionClosedException("the server is disposed")
                : handle;

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
                LogThread? started = null;
                if (options.Log != null && log == null)
                {
                    started = new LogThread(options.Log);
                    Status.Check(
                        Native.martlet_server_set_log(
                            Alive, started.Queue, 0, (int)options.LogLevel, out IntPtr logError),
                        logError);
                }

                int status = Native.martlet_server_start(Alive, out IntPtr error);
                if (status < 0)
                {
                    started?.Close();
                }

                Status.Check(status, error);
                if (started != null)
                {
                    log = started;
                    handle.Ended = started.Close;
                }
            }
        }

        /// <summary>Stops the broker and closes every connection to it. Does nothing if it does not
        /// run. Blocks until its threads have ended and each line of its log is handed over.
        /// </summary>
        public void Stop()
        {
            lock (gate)
            {
                Status.Check(Native.martlet_server_stop(Alive, out IntPtr error), error);
                log?.Close();
                log?.Join();
                log = null;
            }
        }

        /// <summary>What the broker counts.</summary>
        /// <returns>The counts of this moment.</returns>
        public MartletServerStatistics GetStatistics()
        {
            int status = Native.martlet_server_statistics(
                Alive, out TextHandle json, out IntPtr error);
            Status.Check(status, error);
            return new MartletServerStatistics(JsonReader.ReadObject(Status.Take(json)));
        }

        /// <summary>Stops and ends the broker. May be called twice.</summary>
        public void Dispose()
        {
            if (handle.IsClosed)
            {
                return;
            }

            try
            {
                Stop();
            }
            finally
            {
                handle.Dispose();
            }
        }

        /// <summary>The same; a thread of its own does the waiting.</summary>
        /// <returns>Done when the broker has ended.</returns>
        public ValueTask DisposeAsync()
        {
            if (handle.IsClosed)
            {
                return default;
            }

            return new ValueTask(BlockingCall.Run(Dispose, "martlet-stop"));
        }

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
                thread = new Thread(Run) { IsBackground = true, Name = "martlet-log" };
                thread.Start();
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
