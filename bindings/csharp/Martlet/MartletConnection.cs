// SPDX-License-Identifier: Apache-2.0
//
// Owns a connection: how it begins, what it tells of itself, and how it ends. Its messages are in
// MartletConnection.Messages.cs.
using System;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>A connection to a broker, over TCP or inside the process. It reconnects by itself
    /// and then restores its subscriptions. Any thread. Events are raised one after the other, in
    /// order, on the thread pool. A connection that nobody holds any more closes when it is
    /// collected.</summary>
    public sealed partial class MartletConnection : IAsyncDisposable, IDisposable
    {
        private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(10);

        private readonly MartletConnectionOptions options;
        private readonly MartletServer? server; // Lives as long as its connections.
        private readonly SubscriptionList subscriptions = new SubscriptionList();
        private readonly EventLine events = new EventLine();
        private readonly object gate = new object();
        private readonly MessageOrigin origin;
        private Dispatcher? dispatcher;
        private MartletConnectionStatistics? last;
        private long lastMaxPayload;
        private int isDraining;
        private Task? ending;

        private MartletConnection(MartletConnectionOptions options, MartletServer? server)
        {
            NativeLoader.EnsureLoaded();
            this.options = options;
            this.server = server;
            origin = new MessageOrigin(this);
            OptionsText text = options.ToOptions(withServers: server == null);
            byte[] json = text.ToBytes();
            Pump = new Pump();
            Handle = Make(text, json);
            Handle.Ended = Pump.Close;
            Pump.Start(this);
        }

        /// <summary>Connected, for the first time or again; the text is the server's URL.</summary>
        public event EventHandler<MartletConnectionEventArgs>? ConnectionOpened;

        /// <summary>The connection was lost.</summary>
        public event EventHandler<MartletConnectionEventArgs>? ConnectionDisconnected;

        /// <summary>An attempt to connect again begins; the text is the server's URL.</summary>
        public event EventHandler<MartletConnectionEventArgs>? ConnectionReconnecting;

        /// <summary>The connection has ended, for good.</summary>
        public event EventHandler<MartletConnectionEventArgs>? ConnectionClosed;

        /// <summary>The server will stop soon.</summary>
        public event EventHandler<MartletConnectionEventArgs>? LameDuckModeActivated;

        /// <summary>The pool of servers grew; the text is a JSON array of URLs.</summary>
        public event EventHandler<MartletConnectionEventArgs>? ServersDiscovered;

        /// <summary>Something went wrong that no call could throw.</summary>
        public event EventHandler<MartletErrorEventArgs>? ErrorOccurred;

        /// <summary>The state at this moment.</summary>
        public MartletConnectionState State
        {
            get
            {
                if (Handle.IsClosed)
                {
                    return MartletConnectionState.Closed;
                }

                try
                {
                    int status = Native.martlet_connection_state(
                        Handle, out int state, out IntPtr error);
                    Status.Check(status, error);
                    return state == Abi.StateConnected && Volatile.Read(ref isDraining) != 0
                        ? MartletConnectionState.Draining
                        : (MartletConnectionState)state;
                }
                catch (ObjectDisposedException)
                {
                    return MartletConnectionState.Closed;
                }
            }
        }

        /// <summary>Bytes of the largest message that the server takes.</summary>
        public long MaxPayload
        {
            get
            {
                if (!Handle.IsClosed)
                {
                    int status = Native.martlet_connection_max_payload(
                        Handle, out long bytes, out IntPtr error);
                    Status.Check(status, error);
                    lastMaxPayload = bytes;
                }

                return lastMaxPayload;
            }
        }

        /// <summary>The server that it is connected to.</summary>
        public string ConnectedUrl => GetStatistics().ConnectedUrl;

        internal Pump Pump { get; }

        internal ConnectionHandle Handle { get; }

        /// <summary>Connects to a server.</summary>
        /// <param name="url">The server, or several joined by commas.</param>
        /// <param name="cancellationToken">Ends the wait, and the connection.</param>
        /// <returns>The open connection.</returns>
        /// <exception cref="MartletNoServersException">No server could be reached.</exception>
        /// <exception cref="MartletAuthorizationException">The server refused the credentials.
        /// </exception>
        public static Task<MartletConnection> ConnectAsync(
            string url, CancellationToken cancellationToken = default)
        {
            if (url == null)
            {
                throw new ArgumentNullException(nameof(url));
            }

            return ConnectAsync(new MartletConnectionOptions { Url = url }, cancellationToken);
        }

        /// <summary>Connects to a server, with options.</summary>
        /// <param name="options">Copied before this returns.</param>
        /// <param name="cancellationToken">Ends the wait, and the connection.</param>
        /// <returns>The open connection.</returns>
        /// <exception cref="MartletOptionsException">An option is wrong; the text names it.
        /// </exception>
        public static Task<MartletConnection> ConnectAsync(
            MartletConnectionOptions options, CancellationToken cancellationToken = default)
        {
            if (options == null)
            {
                throw new ArgumentNullException(nameof(options));
            }

            return new MartletConnection(options.Copy(), null).OpenAsync(cancellationToken);
        }

        /// <summary>Connects to a broker in this process, without a socket.</summary>
        /// <param name="server">The running broker.</param>
        /// <param name="options">Without addresses; null for the defaults.</param>
        /// <param name="cancellationToken">Ends the wait, and the connection.</param>
        /// <returns>The open connection.</returns>
        public static Task<MartletConnection> ConnectAsync(
            MartletServer server,
            MartletConnectionOptions? options = null,
            CancellationToken cancellationToken = default)
        {
            if (server == null)
            {
                throw new ArgumentNullException(nameof(server));
            }

            MartletConnectionOptions own =
                options == null ? new MartletConnectionOptions() : options.Copy();
            return new MartletConnection(own, server).OpenAsync(cancellationToken);
        }

        /// <summary>What the connection counts and knows.</summary>
        /// <returns>The counts of this moment; the last ones when it is disposed.</returns>
        public MartletConnectionStatistics GetStatistics()
        {
            if (!Handle.IsClosed)
            {
                int status = Native.martlet_connection_statistics(
                    Handle, out TextHandle json, out IntPtr error);
                Status.Check(status, error);
                last = new MartletConnectionStatistics(JsonReader.ReadObject(Status.Take(json)));
            }

            return last!;
        }

        /// <summary>Ends in order: no new message comes; what came is handed to callbacks and read
        /// by loops, which may still publish; what was published is sent; then the connection is
        /// closed. It waits for messages that nobody has read, so whoever iterates has to go on.
        /// Called in a callback it must not be waited for there.</summary>
        /// <param name="timeout">Null: the option DrainTimeout.</param>
        /// <returns>Done when the connection is closed.</returns>
        /// <exception cref="MartletTimeoutException">Something had not been read or sent in time;
        /// the connection is closed nevertheless.</exception>
        public async Task DrainAsync(TimeSpan? timeout = null)
        {
            var deadline = new Deadline(
                timeout ?? options.DrainTimeout ?? TimeSpan.FromSeconds(30), nameof(timeout));
            if (Interlocked.Exchange(ref isDraining, 1) != 0)
            {
                await deadline.WaitAsync(Pump.Closed).ConfigureAwait(false);
                return;
            }

            try
            {
                await DrainSubscriptionsAsync(deadline).ConfigureAwait(false);
                int status = Native.martlet_connection_drain_start(
                    Alive(), deadline.LeftMs, out IntPtr error);
                Status.Check(status, error);
                MartletException? reason = await Pump.Closed.ConfigureAwait(false);
                if (reason is MartletTimeoutException)
                {
                    throw reason;
                }
            }
            finally
            {
                await EndAsync(flush: false).ConfigureAwait(false);
            }
        }

        /// <summary>Sends everything, closes, and waits until callbacks have seen what had come
        /// (unless called in one), but at most ten seconds. May be called twice.</summary>
        /// <returns>Done when the connection is closed and nothing of it is left.</returns>
        public ValueTask DisposeAsync() => new ValueTask(EndAsync(flush: true));

        /// <summary>The same; blocks.</summary>
        public void Dispose() => EndAsync(flush: true).GetAwaiter().GetResult();

        internal Dispatcher MakeDispatcher()
        {
            lock (gate)
            {
                if (dispatcher == null)
                {
                    dispatcher = new Dispatcher();
                    Pump.WhenClosed(dispatcher.Close);
                }

                return dispatcher;
            }
        }

        internal Action Remember(MartletSubscription subscription) =>
            subscriptions.Add(subscription);

        /// <summary>The pump tells of an event of the library.</summary>
        internal void OnEvent(int kind, string text, MartletException? failure)
        {
            EventHandler<MartletConnectionEventArgs>? handler = HandlerOf(kind);
            if (handler != null)
            {
                events.Post(
                    () => handler(this, new MartletConnectionEventArgs(text, failure)));
            }

            if (failure != null && (kind == Abi.KindError || kind == Abi.KindSlowConsumer))
            {
                OnError("the server or the connection reported an error", failure);
            }
        }

        internal void OnError(string what, Exception error)
        {
            EventHandler<MartletErrorEventArgs>? handler = ErrorOccurred;
            if (handler == null)
            {
                Unheard.Tell(what, error);
                return;
            }

            events.Post(() => handler(this, new MartletErrorEventArgs(error)));
        }

        private EventHandler<MartletConnectionEventArgs>? HandlerOf(int kind)
        {
            switch (kind)
            {
                case Abi.KindConnected:
                case Abi.KindReconnected:
                    return ConnectionOpened;
                case Abi.KindDisconnected:
                    return ConnectionDisconnected;
                case Abi.KindReconnecting:
                    return ConnectionReconnecting;
                case Abi.KindClosed:
                    return ConnectionClosed;
                case Abi.KindLameDuck:
                    return LameDuckModeActivated;
                case Abi.KindDiscoveredServers:
                    return ServersDiscovered;
                default:
                    return null;
            }
        }

        private unsafe ConnectionHandle Make(OptionsText text, byte[] json)
        {
            try
            {
                fixed (byte* first = json)
                {
                    ConnectionHandle made;
                    IntPtr error;
                    int status = server == null
                        ? Native.martlet_connection_new(
                            first, json.Length, Pump.Completions, 0, out made, out error)
                        : Native.martlet_connection_new_in_process(
                            server.Alive,
                            first,
                            json.Length,
                            Pump.Completions,
                            0,
                            out made,
                            out error);
                    text.Check(status, error);
                    return made;
                }
            }
            catch
            {
                Pump.Abandon();
                throw;
            }
        }

        private async Task<MartletConnection> OpenAsync(CancellationToken cancellationToken)
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                Status.Check(Native.martlet_connection_start(Handle, out IntPtr error), error);
                if (cancellationToken.CanBeCanceled)
                {
                    using (cancellationToken.Register(CloseNow))
                    {
                        await Pump.Opened.ConfigureAwait(false);
                    }
                }
                else
                {
                    await Pump.Opened.ConfigureAwait(false);
                }
            }
            catch (Exception error)
            {
                await EndAsync(flush: false).ConfigureAwait(false);
                if (error is MartletException)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                }

                throw;
            }

            return this;
        }

        private async Task DrainSubscriptionsAsync(Deadline deadline)
        {
            foreach (MartletSubscription subscription in subscriptions.Alive())
            {
                subscription.BeginDrain();
            }

            await FlushAsync(deadline.Left).ConfigureAwait(false);
            foreach (MartletSubscription subscription in subscriptions.Alive())
            {
                if (!subscription.IsIdle)
                {
                    await deadline.WaitAsync(subscription.Completed).ConfigureAwait(false);
                }
            }
        }

        private ConnectionHandle Alive() =>
            Handle.IsClosed
                ? throw new MartletConnectionClosedException("the connection is disposed")
                : Handle;

        private void CloseNow()
        {
            try
            {
                Status.Check(Native.martlet_connection_close(Handle, out IntPtr error), error);
            }
            catch (ObjectDisposedException)
            {
                return; // It is over.
            }
        }

        /// <summary>Ends it once; everyone who asks waits for the same end.</summary>
        private Task EndAsync(bool flush)
        {
            lock (gate)
            {
                return ending ??= EndOnceAsync(flush);
            }
        }

        private async Task EndOnceAsync(bool flush)
        {
            bool inCallback = dispatcher != null && dispatcher.IsCurrent;
            if (flush && State == MartletConnectionState.Open)
            {
                try
                {
                    await FlushAsync(EndTimeout).ConfigureAwait(false);
                }
                catch (MartletException)
                {
                    // It is lost or closed meanwhile: there is nothing left to send it to.
                }
            }

            if (!Handle.IsClosed)
            {
                last = GetStatistics();
                lastMaxPayload = MaxPayload;
                CloseNow();
            }

            var deadline = new Deadline(EndTimeout, nameof(EndTimeout));
            await deadline.TryWaitAsync(Pump.Ended).ConfigureAwait(false);
            if (dispatcher != null && !inCallback)
            {
                await deadline.TryWaitAsync(dispatcher.Ended).ConfigureAwait(false);
            }

            foreach (MartletSubscription subscription in subscriptions.Alive())
            {
                subscription.LetGo();
            }

            Handle.Dispose();
        }
    }
}
