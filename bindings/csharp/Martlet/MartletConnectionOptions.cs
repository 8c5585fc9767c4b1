// SPDX-License-Identifier: Apache-2.0
//
// Owns the options of a connection, with their names in the library.
using System;
using System.Collections.Generic;

namespace Martlet
{
    /// <summary>Options of <see cref="MartletConnection"/>. What is null has its default.</summary>
    public sealed class MartletConnectionOptions
    {
        /// <summary>The server, or several joined by commas (nats://127.0.0.1:4222).</summary>
        public string? Url { get; set; }

        /// <summary>Several servers; instead of Url.</summary>
        public IReadOnlyList<string>? Servers { get; set; }

        /// <summary>What the server's monitoring shows.</summary>
        public string? Name { get; set; }

        /// <summary>The user. Beats what a URL says.</summary>
        public string? User { get; set; }

        /// <summary>With User.</summary>
        public string? Password { get; set; }

        /// <summary>The token. Beats what a URL says.</summary>
        public string? Token { get; set; }

        /// <summary>False: what this connection publishes does not come back to it.</summary>
        public bool? Echo { get; set; }

        /// <summary>Asks the server to answer +OK.</summary>
        public bool? Verbose { get; set; }

        /// <summary>Asks the server to check more.</summary>
        public bool? Pedantic { get; set; }

        /// <summary>For one attempt, until the server has accepted us (2 s).</summary>
        public TimeSpan? ConnectTimeout { get; set; }

        /// <summary>The first connect goes on as a reconnect would.</summary>
        public bool? RetryOnInitialConnect { get; set; }

        /// <summary>False: a lost connection is closed.</summary>
        public bool? Reconnect { get; set; }

        /// <summary>Before each further round through the servers (2 s).</summary>
        public TimeSpan? ReconnectWait { get; set; }

        /// <summary>At most this much is added to that (100 ms).</summary>
        public TimeSpan? ReconnectJitter { get; set; }

        /// <summary>Attempts for each server, in a row (60); -1: no limit.</summary>
        public int? MaxReconnectRetry { get; set; }

        /// <summary>Bytes published while the connection is lost (8 MiB); 0: nothing is taken.
        /// </summary>
        public long? ReconnectBufferSize { get; set; }

        /// <summary>True: the servers are tried in their order.</summary>
        public bool? NoRandomize { get; set; }

        /// <summary>True: the pool of servers never grows.</summary>
        public bool? IgnoreDiscoveredServers { get; set; }

        /// <summary>Between pings to the server (2 minutes); zero: none.</summary>
        public TimeSpan? PingInterval { get; set; }

        /// <summary>Unanswered pings after which the connection is stale (2).</summary>
        public int? MaxPingOut { get; set; }

        /// <summary>After which a drain ends by closing (30 s).</summary>
        public TimeSpan? DrainTimeout { get; set; }

        /// <summary>Bytes published and not written yet (16 MiB); at it publishing waits.</summary>
        public long? PendingBytesMax { get; set; }

        /// <summary>Requests under way at once (65,536).</summary>
        public int? MaxRequests { get; set; }

        /// <summary>Of the subjects that replies come to (_INBOX); no wildcards.</summary>
        public string? InboxPrefix { get; set; }

        /// <summary>Microseconds for which the connection's thread looks for work before it sleeps
        /// (0).</summary>
        public int? SpinMicroseconds { get; set; }

        /// <summary>For a request that is given no time of its own (5 s).</summary>
        public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(5);

        /// <summary>Called with the connection before it connects: whoever wants each of its events
        /// adds handlers here.</summary>
        public Action<MartletConnection>? BeforeConnect { get; set; }

        internal OptionsText ToOptions(bool withServers)
        {
            if (Url != null && Servers != null)
            {
                throw new MartletOptionsException("options Url and Servers exclude each other");
            }

            var text = new OptionsText();
            if (withServers)
            {
                text.Add("servers", Servers != null ? nameof(Servers) : nameof(Url), Addresses());
            }
            else if (Url != null || Servers != null)
            {
                throw new MartletOptionsException(
                    "option \"" + (Url != null ? nameof(Url) : nameof(Servers))
                    + "\": not for a connection inside the process");
            }

            AddPlaces(text);
            return text
                .Add("name", nameof(Name), Name)
                .Add("user", nameof(User), User)
                .Add("password", nameof(Password), Password)
                .Add("token", nameof(Token), Token)
                .Add("echo", nameof(Echo), Echo)
                .Add("verbose", nameof(Verbose), Verbose)
                .Add("pedantic", nameof(Pedantic), Pedantic)
                .Add("pending_bytes_max", nameof(PendingBytesMax), PendingBytesMax)
                .Add("requests_max", nameof(MaxRequests), MaxRequests)
                .Add("inbox_prefix", nameof(InboxPrefix), InboxPrefix)
                .Add("spin_us", nameof(SpinMicroseconds), SpinMicroseconds);
        }

        internal MartletConnectionOptions Copy() => (MartletConnectionOptions)MemberwiseClone();

        private IReadOnlyList<string>? Addresses() =>
            Servers ?? (Url == null ? null : Url.Split(','));

        private void AddPlaces(OptionsText text) => text
            .Add("connect_timeout_ms", nameof(ConnectTimeout), ConnectTimeout)
            .Add("retry_on_first_connect", nameof(RetryOnInitialConnect), RetryOnInitialConnect)
            .Add("reconnect", nameof(Reconnect), Reconnect)
            .Add("reconnect_wait_ms", nameof(ReconnectWait), ReconnectWait)
            .Add("reconnect_jitter_ms", nameof(ReconnectJitter), ReconnectJitter)
            .Add("reconnect_attempts_max", nameof(MaxReconnectRetry), MaxReconnectRetry)
            .Add("reconnect_buffer_bytes_max", nameof(ReconnectBufferSize), ReconnectBufferSize)
            .Add("randomize_servers", nameof(NoRandomize), !NoRandomize)
            .Add(
                "ignore_discovered_servers",
                nameof(IgnoreDiscoveredServers),
                IgnoreDiscoveredServers)
            .Add("ping_interval_ms", nameof(PingInterval), PingInterval)
            .Add("pings_out_max", nameof(MaxPingOut), MaxPingOut)
            .Add("drain_timeout_ms", nameof(DrainTimeout), DrainTimeout);
    }
}
