// SPDX-License-Identifier: Apache-2.0
//
// Owns what brokers, connections and subscriptions count, as values of one moment.
using System.Collections.Generic;

namespace Martlet
{
    /// <summary>What a broker counts, with the names of /varz in <see cref="All"/>.</summary>
    public sealed class MartletServerStatistics
    {
        internal MartletServerStatistics(Dictionary<string, object?> counted)
        {
            All = counted;
            Connections = Times.Number(counted, "connections");
            Subscriptions = Times.Number(counted, "subscriptions");
            InMessages = Times.Number(counted, "in_msgs");
            OutMessages = Times.Number(counted, "out_msgs");
            InBytes = Times.Number(counted, "in_bytes");
            OutBytes = Times.Number(counted, "out_bytes");
            SlowConsumers = Times.Number(counted, "slow_consumers");
        }

        /// <summary>Clients that are connected.</summary>
        public long Connections { get; }

        /// <summary>Subscriptions of all of them.</summary>
        public long Subscriptions { get; }

        /// <summary>Messages that came.</summary>
        public long InMessages { get; }

        /// <summary>Messages that went.</summary>
        public long OutMessages { get; }

        /// <summary>Their bytes.</summary>
        public long InBytes { get; }

        /// <summary>Their bytes.</summary>
        public long OutBytes { get; }

        /// <summary>Clients that were closed because they did not keep up.</summary>
        public long SlowConsumers { get; }

        /// <summary>Everything, also what is younger than this class.</summary>
        public IReadOnlyDictionary<string, object?> All { get; }
    }

    /// <summary>What a connection counts and knows.</summary>
    public sealed class MartletConnectionStatistics
    {
        internal MartletConnectionStatistics(Dictionary<string, object?> counted)
        {
            All = counted;
            InMessages = Times.Number(counted, "in_msgs");
            OutMessages = Times.Number(counted, "out_msgs");
            InBytes = Times.Number(counted, "in_bytes");
            OutBytes = Times.Number(counted, "out_bytes");
            Reconnects = Times.Number(counted, "reconnects");
            PendingBytes = Times.Number(counted, "pending_bytes");
            Subscriptions = Times.Number(counted, "subscriptions");
            ClientId = Times.Number(counted, "client_id");
            ConnectedUrl = Times.Text(counted, "connected_url");
            ServerId = Times.Text(counted, "server_id");
            ServerName = Times.Text(counted, "server_name");
            ServerVersion = Times.Text(counted, "server_version");
        }

        /// <summary>Messages that came.</summary>
        public long InMessages { get; }

        /// <summary>Messages that went.</summary>
        public long OutMessages { get; }

        /// <summary>Their bytes.</summary>
        public long InBytes { get; }

        /// <summary>Their bytes.</summary>
        public long OutBytes { get; }

        /// <summary>How often it was connected again.</summary>
        public long Reconnects { get; }

        /// <summary>Published and not written yet.</summary>
        public long PendingBytes { get; }

        /// <summary>Subscriptions that have not ended.</summary>
        public long Subscriptions { get; }

        /// <summary>Its number at the server.</summary>
        public long ClientId { get; }

        /// <summary>The server that it is connected to.</summary>
        public string ConnectedUrl { get; }

        /// <summary>That server's id.</summary>
        public string ServerId { get; }

        /// <summary>That server's name.</summary>
        public string ServerName { get; }

        /// <summary>That server's version.</summary>
        public string ServerVersion { get; }

        /// <summary>Everything, also what is younger than this class.</summary>
        public IReadOnlyDictionary<string, object?> All { get; }
    }

    /// <summary>What a subscription counts.</summary>
    public sealed class MartletSubscriptionStatistics
    {
        internal MartletSubscriptionStatistics(
            long pendingMessages, long pendingBytes, long dropped, long delivered)
        {
            PendingMessages = pendingMessages;
            PendingBytes = pendingBytes;
            Dropped = dropped;
            Delivered = delivered;
        }

        /// <summary>Messages that wait to be read.</summary>
        public long PendingMessages { get; }

        /// <summary>Their bytes, as the bound counts them.</summary>
        public long PendingBytes { get; }

        /// <summary>Messages lost at the bound.</summary>
        public long Dropped { get; }

        /// <summary>Messages that came, whatever became of them.</summary>
        public long Delivered { get; }
    }
}
