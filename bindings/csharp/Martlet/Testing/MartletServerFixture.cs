// SPDX-License-Identifier: Apache-2.0
//
// Owns what tests of programs use: a broker of their own for each.
using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Testing
{
    /// <summary>A running broker for one test, with the connections made through it; all end with
    /// it. With xUnit or NUnit: make one in the constructor or set-up of the test class, and
    /// dispose it there.</summary>
    public sealed class MartletServerFixture : IAsyncDisposable, IDisposable
    {
        private readonly ConcurrentBag<MartletConnection> connections =
            new ConcurrentBag<MartletConnection>();

        /// <summary>Starts a broker on a free port of the loopback address.</summary>
        public MartletServerFixture()
            : this(null)
        {
        }

        /// <summary>Starts a broker with options.</summary>
        /// <param name="options">Null: a free port of the loopback address.</param>
        public MartletServerFixture(MartletServerOptions? options)
        {
            Server = MartletServer.Start(options);
        }

        /// <summary>The broker.</summary>
        public MartletServer Server { get; }

        /// <summary>Where clients connect to.</summary>
        public string Url => Server.Url;

        /// <summary>Connects inside the process. The fixture closes the connection.</summary>
        /// <param name="options">Null: the defaults.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>The open connection.</returns>
        public async Task<MartletConnection> ConnectAsync(
            MartletConnectionOptions? options = null,
            CancellationToken cancellationToken = default)
        {
            MartletConnection connection = await MartletConnection
                .ConnectAsync(Server, options, cancellationToken)
                .ConfigureAwait(false);
            connections.Add(connection);
            return connection;
        }

        /// <summary>Closes the connections and stops the broker.</summary>
        /// <returns>Done when nothing of them is left.</returns>
        public async ValueTask DisposeAsync()
        {
            while (connections.TryTake(out MartletConnection? connection))
            {
                await connection!.DisposeAsync().ConfigureAwait(false);
            }

            await Server.DisposeAsync().ConfigureAwait(false);
        }

        /// <summary>The same; blocks.</summary>
        public void Dispose()
        {
            while (connections.TryTake(out MartletConnection? connection))
            {
                connection!.Dispose();
            }

            Server.Dispose();
        }
    }
}
