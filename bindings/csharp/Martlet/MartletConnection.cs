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
    /// order, on the thread pool; one is for the handlers that are there when it happens. What
    /// awaits something goes on on a thread of the pool or of the connection, and may block there.
    /// A connection that nobody holds any more closes when it is collected.</summary>
    public sealed partial class MartletConnection : IAsyncDisposable, IDisposable
    {
        private const string DisposedText = "the connection is disposed";
        private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(10);

        private readonly MartletConnectionOptions options;
        private readonly MartletServer? server; // Lives as long as its connections.
        private readonly SubscriptionList subscriptions = new SubscriptionList();
        private readonly EventLine events = new EventLine();
        private readonly object gate = new object();
        private readonly CallbackMark callbacks = new CallbackMark();
        private readonly MessageOrigin origin;
        private Dispatcher? dispatcher;
        private MartletConnectionStatistics? last;
        private long lastMaxPayload;
        private int isDraining;
        private Task? closing;
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
                int state = Abi.StateClosed;
                Calls.TryRun(
                    Handle,
                    (ConnectionHandle connection, out IntPtr error) =>
                        Native.martlet_connection_state(connection, out state, out error));
                return state == Abi.StateConnected && Volatile.Read(ref isDraining) != 0
                    ? MartletConnectionState.Draining
                    : (MartletConnectionState)state;
            }
        }

        /// <summary>Bytes of the largest message that the server takes.</summary>
        public long MaxPayload
        {
            get
            {
                long bytes = lastMaxPayload;
                Calls.TryRun(
                    Handle,
                    (ConnectionHandle connection, out IntPtr error) =>
                        Native.martlet_connection_max_payload(connection, out bytes, out error));
                return bytes;
            }
        }

        /// <summary>The server that it is connected to.</summary>
        public string ConnectedUrl => GetStatistics().ConnectedUrl;

        internal Pump Pump { get; }

        internal ConnectionHandle Handle { get; }

        /// <summary>Connects to nats://127.0.0.1:4222.</summary>
        /// <param name="cancellationToken">Ends the wait, and the connection.</param>
        /// <returns>The open connection.</returns>
        /// <exception cref="MartletNoServersException">No server could be reached.</exception>
        public static Task<MartletConnection> ConnectAsync(
            CancellationToken cancellationToken = default) =>
            ConnectAsync(new MartletConnectionOptions(), cancellationToken);

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
            TextHandle? json = null;
            Calls.TryRun(
                Handle,
                (ConnectionHandle connection, out IntPtr error) =>
                    Native.martlet_connection_statistics(connection, out json, out error));
            return json == null
                ? last!
                : new MartletConnectionStatistics(JsonReader.ReadObject(Status.Take(json)));
        }

        /// <summary>Ends in order: no new message comes; what came is handed to callbacks and read
        /// by loops, which may still publish; what was published is sent; then the connection is
        /// closed. It waits for messages that nobody has read, so whoever iterates has to go on.
        /// Called in a callback it must not be waited for there.</summary>
        /// <param name="timeout">Null: the option DrainTimeout.</param>
        /// <param name="cancellationToken">Ends the wait, and closes the connection.</param>
        /// <returns>Done when the connection is closed.</returns>
        /// <exception cref="MartletTimeoutException">Something had not been read or sent in time;
        /// the connection is closed nevertheless.</exception>
        /// <exception cref="MartletDisconnectedException">It is not connected; it stays as it is.
        /// </exception>
        /// <exception cref="MartletConnectionClosedException">It is closed already.</exception>
        public async Task DrainAsync(
            TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            var deadline = new Deadline(
                timeout ?? options.DrainTimeout ?? TimeSpan.FromSeconds(30), nameof(timeout));
            MartletConnectionState state = State;
            if (state != MartletConnectionState.Open && state != MartletConnectionState.Draining)
            {
                StartDrain(deadline); // Refused: the library says why.
            }

            if (Interlocked.Exchange(ref isDraining, 1) != 0)
            {
                await deadline.WaitAsync(Pump.Closed, cancellationToken).ConfigureAwait(false);
                return;
            }

            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                await DrainSubscriptionsAsync(deadline, cancellationToken).ConfigureAwait(false);
                StartDrain(deadline);
                using (cancellationToken.Register(CloseNow))
                {
                    MartletException? reason = await Pump.Closed.ConfigureAwait(false);
                    cancellationToken.ThrowIfCancellationRequested();
                    if (reason is MartletTimeoutException)
                    {
                        throw reason;
                    }
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

        /// <summary>For people: its state, and the server that it is connected to.</summary>
        /// <returns>One line.</returns>
        public override string ToString()
        {
            MartletConnectionState state = State;
            bool isConnected =
                state == MartletConnectionState.Open || state == MartletConnectionState.Draining;
            return "MartletConnection[" + state + (isConnected ? ", " + ConnectedUrl : string.Empty)
                + "]";
        }

        /// <summary>What runs from here on, and what it awaits, is a callback.</summary>
        internal void EnterCallbacks() => callbacks.Enter();

        internal Dispatcher MakeDispatcher()
        {
            lock (gate)
            {
                if (dispatcher == null)
                {
                    dispatcher = new Dispatcher(callbacks);
                    Pump.MakeRoomForCallbacks();
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
                            server.Handle,
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
            catch (ObjectDisposedException)
            {
                Pump.Abandon();
                throw new MartletConnectionClosedException("the server is disposed");
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
                options.BeforeConnect?.Invoke(this);
                Call(Native.martlet_connection_start);
                using (cancellationToken.Register(CloseNow))
                {
                    await Pump.Opened.ConfigureAwait(false);
                }

                cancellationToken.ThrowIfCancellationRequested(); // It may be closed already.
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

        private void StartDrain(Deadline deadline) =>
            Call((ConnectionHandle connection, out IntPtr error) =>
                Native.martlet_connection_drain_start(connection, deadline.LeftMs, out error));

        private async Task DrainSubscriptionsAsync(
            Deadline deadline, CancellationToken cancellationToken)
        {
            foreach (MartletSubscription subscription in subscriptions.Alive())
            {
                subscription.DrainUnlessEnded();
            }

            await FlushAsync(deadline.Left, cancellationToken).ConfigureAwait(false);
            foreach (MartletSubscription subscription in subscriptions.Alive())
            {
                if (!subscription.IsIdle)
                {
                    await deadline.WaitAsync(subscription.Completed, cancellationToken)
                        .ConfigureAwait(false);
                }
            }
        }

        private void CloseNow() =>
            Calls.TryRun<ConnectionHandle>(Handle, Native.martlet_connection_close);

        /// <summary>Ends it once; everyone who asks waits for the same end. A callback waits for
        /// its beginning only: the rest waits for the callback.</summary>
        private Task EndAsync(bool flush)
        {
            lock (gate)
            {
                closing ??= CloseOnceAsync(flush);
                ending ??= EndOnceAsync(closing);
            }

            return callbacks.IsHere ? closing : ending;
        }

        private async Task CloseOnceAsync(bool flush)
        {
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

            last = GetStatistics();
            lastMaxPayload = MaxPayload;
            CloseNow();
            await new Deadline(EndTimeout, nameof(EndTimeout)).TryWaitAsync(Pump.Ended)
                .ConfigureAwait(false);
        }

        private async Task EndOnceAsync(Task closed)
        {
            try
            {
                await closed.ConfigureAwait(false);
                var deadline = new Deadline(EndTimeout, nameof(EndTimeout));
                if (dispatcher != null)
                {
                    await deadline.TryWaitAsync(dispatcher.Ended).ConfigureAwait(false);
                }

                foreach (MartletSubscription subscription in subscriptions.Alive())
                {
                    if (subscription.HasCallback)
                    {
                        await deadline.TryWaitAsync(subscription.Completed).ConfigureAwait(false);
                    }
                }
            }
            finally
            {
                foreach (MartletSubscription subscription in subscriptions.Alive())
                {
                    subscription.LetGo();
                }

                Handle.Dispose();
            }
        }
    }
}
