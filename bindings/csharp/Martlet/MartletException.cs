// SPDX-License-Identifier: Apache-2.0
//
// Owns the exception that all others of the package are, and which one a status is.
using System;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>Whatever Martlet refuses or fails at. Each status of the library has a subclass of
    /// its own.</summary>
    public class MartletException : Exception
    {
        internal MartletException(int status, string message)
            : base(message)
        {
            Status = status;
        }

        /// <summary>The number of the C ABI: below 0.</summary>
        public int Status { get; }

        /// <summary>The exception of a status; one that is not known is a plain MartletException.
        /// </summary>
        internal static MartletException FromStatus(int status, string text)
        {
            switch (status)
            {
                case Abi.ErrInvalidArgument:
                    return new MartletInvalidArgumentException(text);
                case Abi.ErrInvalidHandle:
                    return new MartletInvalidHandleException(text);
                case Abi.ErrNoMemory:
                    return new MartletNoMemoryException(text);
                case Abi.ErrOptions:
                    return new MartletOptionsException(text);
                case Abi.ErrSubject:
                    return new MartletBadSubjectException(text);
                case Abi.ErrMaxPayload:
                    return new MartletMaxPayloadException(text);
                case Abi.ErrLimit:
                    return new MartletLimitException(text);
                case Abi.ErrTimeout:
                    return new MartletTimeoutException(text);
                case Abi.ErrClosed:
                    return new MartletConnectionClosedException(text);
                case Abi.ErrDraining:
                    return new MartletDrainingException(text);
                case Abi.ErrDisconnected:
                    return new MartletDisconnectedException(text);
                case Abi.ErrNoServers:
                    return new MartletNoServersException(text);
                case Abi.ErrNoResponders:
                    return new MartletNoRespondersException(text);
                case Abi.ErrAuthorization:
                    return new MartletAuthorizationException(text);
                case Abi.ErrPermissions:
                    return new MartletPermissionsException(text);
                case Abi.ErrStaleConnection:
                    return new MartletStaleConnectionException(text);
                case Abi.ErrProtocol:
                    return new MartletProtocolException(text);
                case Abi.ErrSlowConsumer:
                    return new MartletSlowConsumerException(text);
                case Abi.ErrAddressInUse:
                    return new MartletAddressInUseException(text);
                case Abi.ErrIo:
                    return new MartletSystemIOException(text);
                case Abi.ErrUnsupported:
                    return new MartletUnsupportedException(text);
                case Abi.ErrForked:
                    return new MartletForkedException(text);
                case Abi.ErrInternal:
                    return new MartletInternalException(text);
                case Abi.ErrState:
                    return new MartletStateException(text);
                case Abi.ErrInCallback:
                    return new MartletInCallbackException(text);
                case Abi.ErrBufferTooSmall:
                    return new MartletBufferTooSmallException(text);
                default:
                    return new MartletException(status, text);
            }
        }
    }

    /// <summary>The native library of the package is missing, damaged or of another version: the
    /// text names the file.</summary>
    public sealed class MartletNativeLibraryException : MartletException
    {
        /// <summary>Makes one with this message.</summary>
        /// <param name="message">What happened.</param>
        public MartletNativeLibraryException(string message)
            : base(Abi.ErrUnsupported, message)
        {
        }
    }
}
