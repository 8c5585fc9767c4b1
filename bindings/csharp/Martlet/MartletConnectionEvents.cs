// SPDX-License-Identifier: Apache-2.0
//
// Owns what a connection tells of itself.
using System;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>The states of a connection.</summary>
    public enum MartletConnectionState
    {
        /// <summary>Made, not connected yet.</summary>
        New = Abi.StateNew,

        /// <summary>The first connect is under way.</summary>
        Connecting = Abi.StateConnecting,

        /// <summary>Connected.</summary>
        Open = Abi.StateConnected,

        /// <summary>Lost; what is published goes into the reconnect buffer.</summary>
        Reconnecting = Abi.StateReconnecting,

        /// <summary>It ends in order.</summary>
        Draining = Abi.StateDraining,

        /// <summary>It has ended.</summary>
        Closed = Abi.StateClosed,
    }

    /// <summary>What happened to a connection.</summary>
    public sealed class MartletConnectionEventArgs : EventArgs
    {
        internal MartletConnectionEventArgs(string text, MartletException? failure)
        {
            Text = text;
            Failure = failure;
        }

        /// <summary>The URL of the server, or a sentence.</summary>
        public string Text { get; }

        /// <summary>Why; null when it was wanted.</summary>
        public MartletException? Failure { get; }
    }

    /// <summary>Something that no call could throw: what the server refused, messages that were
    /// lost, what a callback threw.</summary>
    public sealed class MartletErrorEventArgs : EventArgs
    {
        internal MartletErrorEventArgs(Exception error)
        {
            Error = error;
        }

        /// <summary>What went wrong.</summary>
        public Exception Error { get; }
    }
}
