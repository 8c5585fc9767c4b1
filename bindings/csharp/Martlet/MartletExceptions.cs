// SPDX-License-Identifier: Apache-2.0
//
// Owns the exception of each status of the C ABI that is an error.
using Martlet.Raw;

namespace Martlet
{
    /// <summary>A value that cannot be: the text names the argument.</summary>
    public sealed class MartletInvalidArgumentException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletInvalidArgumentException(string message)
            : base(Abi.ErrInvalidArgument, message)
        {
        }
    }

    /// <summary>An object that is not alive.</summary>
    public sealed class MartletInvalidHandleException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletInvalidHandleException(string message)
            : base(Abi.ErrInvalidHandle, message)
        {
        }
    }

    /// <summary>An allocation failed, or the server's memory is at its bound.</summary>
    public sealed class MartletNoMemoryException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletNoMemoryException(string message)
            : base(Abi.ErrNoMemory, message)
        {
        }
    }

    /// <summary>An option has a wrong value: the text names it.</summary>
    public sealed class MartletOptionsException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletOptionsException(string message)
            : base(Abi.ErrOptions, message)
        {
        }
    }

    /// <summary>A subject that the rules of NATS refuse.</summary>
    public sealed class MartletBadSubjectException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletBadSubjectException(string message)
            : base(Abi.ErrSubject, message)
        {
        }
    }

    /// <summary>Payload and headers are above what the server takes.</summary>
    public sealed class MartletMaxPayloadException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletMaxPayloadException(string message)
            : base(Abi.ErrMaxPayload, message)
        {
        }
    }

    /// <summary>A bound is reached: the text names it.</summary>
    public sealed class MartletLimitException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletLimitException(string message)
            : base(Abi.ErrLimit, message)
        {
        }
    }

    /// <summary>The time given has passed.</summary>
    public sealed class MartletTimeoutException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletTimeoutException(string message)
            : base(Abi.ErrTimeout, message)
        {
        }
    }

    /// <summary>The connection, the subscription or the server is closed.</summary>
    public sealed class MartletConnectionClosedException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletConnectionClosedException(string message)
            : base(Abi.ErrClosed, message)
        {
        }
    }

    /// <summary>The connection or subscription drains: nothing new is taken.</summary>
    public sealed class MartletDrainingException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletDrainingException(string message)
            : base(Abi.ErrDraining, message)
        {
        }
    }

    /// <summary>There is no connection at the moment, and the buffer takes nothing.</summary>
    public sealed class MartletDisconnectedException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletDisconnectedException(string message)
            : base(Abi.ErrDisconnected, message)
        {
        }
    }

    /// <summary>No server could be reached.</summary>
    public sealed class MartletNoServersException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletNoServersException(string message)
            : base(Abi.ErrNoServers, message)
        {
        }
    }

    /// <summary>A request that nobody listens to.</summary>
    public sealed class MartletNoRespondersException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletNoRespondersException(string message)
            : base(Abi.ErrNoResponders, message)
        {
        }
    }

    /// <summary>The server refused the credentials.</summary>
    public sealed class MartletAuthorizationException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletAuthorizationException(string message)
            : base(Abi.ErrAuthorization, message)
        {
        }
    }

    /// <summary>The server refused a publish or a subscription.</summary>
    public sealed class MartletPermissionsException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletPermissionsException(string message)
            : base(Abi.ErrPermissions, message)
        {
        }
    }

    /// <summary>The other side did not answer pings.</summary>
    public sealed class MartletStaleConnectionException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletStaleConnectionException(string message)
            : base(Abi.ErrStaleConnection, message)
        {
        }
    }

    /// <summary>The other side spoke something that is not the protocol.</summary>
    public sealed class MartletProtocolException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletProtocolException(string message)
            : base(Abi.ErrProtocol, message)
        {
        }
    }

    /// <summary>A subscription fell behind its bound and lost messages.</summary>
    public sealed class MartletSlowConsumerException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletSlowConsumerException(string message)
            : base(Abi.ErrSlowConsumer, message)
        {
        }
    }

    /// <summary>A port is taken.</summary>
    public sealed class MartletAddressInUseException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletAddressInUseException(string message)
            : base(Abi.ErrAddressInUse, message)
        {
        }
    }

    /// <summary>The system refused something: the text names what.</summary>
    public sealed class MartletSystemIOException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletSystemIOException(string message)
            : base(Abi.ErrIo, message)
        {
        }
    }

    /// <summary>Known, but not available here.</summary>
    public sealed class MartletUnsupportedException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletUnsupportedException(string message)
            : base(Abi.ErrUnsupported, message)
        {
        }
    }

    /// <summary>It belongs to the parent process; a forked child's copy is inert.</summary>
    public sealed class MartletForkedException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletForkedException(string message)
            : base(Abi.ErrForked, message)
        {
        }
    }

    /// <summary>A case that should not exist: please report it.</summary>
    public sealed class MartletInternalException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletInternalException(string message)
            : base(Abi.ErrInternal, message)
        {
        }
    }

    /// <summary>Not possible now: started twice, not started, read twice at once.</summary>
    public sealed class MartletStateException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletStateException(string message)
            : base(Abi.ErrState, message)
        {
        }
    }

    /// <summary>A call that would wait for itself.</summary>
    public sealed class MartletInCallbackException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletInCallbackException(string message)
            : base(Abi.ErrInCallback, message)
        {
        }
    }

    /// <summary>A buffer holds not even the first message.</summary>
    public sealed class MartletBufferTooSmallException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletBufferTooSmallException(string message)
            : base(Abi.ErrBufferTooSmall, message)
        {
        }
    }
}
