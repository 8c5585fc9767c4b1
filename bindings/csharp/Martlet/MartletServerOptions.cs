// SPDX-License-Identifier: Apache-2.0
//
// Owns the options of a broker, with their names in the library.
using System;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>The levels of a broker's log, most important first.</summary>
    public enum MartletLogLevel
    {
        /// <summary>The broker cannot go on.</summary>
        Fatal = Abi.LogFatal,

        /// <summary>Something failed.</summary>
        Error = Abi.LogError,

        /// <summary>Something to look at.</summary>
        Warning = Abi.LogWarning,

        /// <summary>What a broker tells when all is well.</summary>
        Information = Abi.LogInfo,

        /// <summary>Each client's coming and going.</summary>
        Debug = Abi.LogDebug,

        /// <summary>The protocol as it passes.</summary>
        Trace = Abi.LogTrace,
    }

    /// <summary>Options of <see cref="MartletServer"/>. What is null has its default.</summary>
    public sealed class MartletServerOptions
    {
        /// <summary>The port to listen on; 0: any free one (the default).</summary>
        public int? Port { get; set; }

        /// <summary>The address to listen on (127.0.0.1); 0.0.0.0 or :: is every address.</summary>
        public string? Host { get; set; }

        /// <summary>False: no port at all, only connections of this process.</summary>
        public bool? Listen { get; set; }

        /// <summary>The server's name, without spaces; its id if null.</summary>
        public string? ServerName { get; set; }

        /// <summary>The user that clients must be.</summary>
        public string? User { get; set; }

        /// <summary>What that user must bring, plain or bcrypt.</summary>
        public string? Password { get; set; }

        /// <summary>What clients must bring, plain or bcrypt. Excludes User.</summary>
        public string? Token { get; set; }

        /// <summary>The port of the monitoring pages; 0: any free one; null: none.</summary>
        public int? HttpPort { get; set; }

        /// <summary>The address of the monitoring pages; that of Host if null.</summary>
        public string? HttpHost { get; set; }

        /// <summary>Threads that serve clients (1).</summary>
        public int? Loops { get; set; }

        /// <summary>Clients over TCP at once (65,536).</summary>
        public int? MaxConnections { get; set; }

        /// <summary>Bytes of a line of the protocol without its payload (4,096).</summary>
        public int? MaxControlLine { get; set; }

        /// <summary>Bytes that clients can make the broker hold; 0: no ceiling.</summary>
        public long? MaxMemory { get; set; }

        /// <summary>Bytes of a message, payload and headers (1 MiB).</summary>
        public int? MaxPayload { get; set; }

        /// <summary>Bytes that may wait for one client (64 MiB).</summary>
        public long? MaxPending { get; set; }

        /// <summary>Subscriptions of one client; 0: no bound.</summary>
        public int? MaxSubscriptions { get; set; }

        /// <summary>Between pings to an idle client (2 minutes).</summary>
        public TimeSpan? PingInterval { get; set; }

        /// <summary>Pings without an answer after which a client is closed (2).</summary>
        public int? PingMax { get; set; }

        /// <summary>After which a client that does not read is closed (10 s).</summary>
        public TimeSpan? WriteDeadline { get; set; }

        /// <summary>Microseconds for which a thread looks for work before it sleeps (0).</summary>
        public int? SpinMicroseconds { get; set; }

        /// <summary>The log has lines of the level Debug.</summary>
        public bool? Debug { get; set; }

        /// <summary>The log has lines of the level Trace.</summary>
        public bool? Trace { get; set; }

        /// <summary>Configuration text in the language of NATS, instead of all options above.
        /// </summary>
        public string? Configuration { get; set; }

        /// <summary>Gets each log line, on a thread of its own; null: silence.</summary>
        public Action<MartletLogLevel, string>? Log { get; set; }

        /// <summary>The least important level that Log gets.</summary>
        public MartletLogLevel LogLevel { get; set; } = MartletLogLevel.Information;

        internal OptionsText ToOptions() =>
            new OptionsText()
                .Add("port", nameof(Port), Port)
                .Add("host", nameof(Host), Host)
                .Add("listen", nameof(Listen), Listen)
                .Add("server_name", nameof(ServerName), ServerName)
                .Add("user", nameof(User), User)
                .Add("password", nameof(Password), Password)
                .Add("token", nameof(Token), Token)
                .Add("http_port", nameof(HttpPort), HttpPort)
                .Add("http_host", nameof(HttpHost), HttpHost)
                .Add("loops", nameof(Loops), Loops)
                .Add("max_connections", nameof(MaxConnections), MaxConnections)
                .Add("max_control_line", nameof(MaxControlLine), MaxControlLine)
                .Add("max_memory", nameof(MaxMemory), MaxMemory)
                .Add("max_payload", nameof(MaxPayload), MaxPayload)
                .Add("max_pending", nameof(MaxPending), MaxPending)
                .Add("max_subscriptions", nameof(MaxSubscriptions), MaxSubscriptions)
                .Add("ping_interval_ms", nameof(PingInterval), PingInterval)
                .Add("ping_max", nameof(PingMax), PingMax)
                .Add("write_deadline_ms", nameof(WriteDeadline), WriteDeadline)
                .Add("spin_us", nameof(SpinMicroseconds), SpinMicroseconds)
                .Add("debug", nameof(Debug), Debug ?? LogsAtLeast(MartletLogLevel.Debug))
                .Add("trace", nameof(Trace), Trace ?? LogsAtLeast(MartletLogLevel.Trace));

        private bool? LogsAtLeast(MartletLogLevel level) =>
            Log != null && LogLevel >= level ? true : (bool?)null;
    }
}
