// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the family of exceptions: whatever Martlet refuses or fails at is one of these, unchecked,
 * with one class for each status of the C ABI. Waiting calls throw {@link InterruptedException}
 * beside them, and an argument that is null where none may be is a {@link NullPointerException}
 * that names it. Since 0.1.0.
 */
public class MartletException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The number of the C ABI. */
    private final int status;

    /**
     * Makes one of a status.
     *
     * @param status the number of the C ABI
     * @param message what was refused, and why
     */
    protected MartletException(int status, String message) {
        super(message);
        this.status = status;
    }

    /**
     * The status of the C ABI.
     *
     * @return a number below 0
     */
    public int getStatus() {
        return status;
    }

    /**
     * The exception that a status stands for.
     *
     * @param status the number; one that this version does not know gives the family's own class
     * @param message what was refused, and why
     * @return a new exception
     */
    public static MartletException of(int status, String message) {
        return switch (status) {
            case Abi.ERR_INVALID_ARGUMENT -> new InvalidArgumentException(message);
            case Abi.ERR_INVALID_HANDLE -> new InvalidHandleException(message);
            case Abi.ERR_NO_MEMORY -> new NoMemoryException(message);
            case Abi.ERR_OPTIONS -> new OptionsException(message);
            case Abi.ERR_SUBJECT -> new BadSubjectException(message);
            case Abi.ERR_MAX_PAYLOAD -> new MaxPayloadException(message);
            case Abi.ERR_LIMIT -> new LimitException(message);
            case Abi.ERR_TIMEOUT -> new TimeoutException(message);
            case Abi.ERR_CLOSED -> new ClosedException(message);
            case Abi.ERR_DRAINING -> new DrainingException(message);
            case Abi.ERR_DISCONNECTED -> new DisconnectedException(message);
            case Abi.ERR_NO_SERVERS -> new NoServersException(message);
            case Abi.ERR_NO_RESPONDERS -> new NoRespondersException(message);
            case Abi.ERR_AUTHORIZATION -> new AuthorizationException(message);
            case Abi.ERR_PERMISSIONS -> new PermissionsException(message);
            case Abi.ERR_STALE_CONNECTION -> new StaleConnectionException(message);
            case Abi.ERR_PROTOCOL -> new ProtocolException(message);
            case Abi.ERR_SLOW_CONSUMER -> new SlowConsumerException(message);
            case Abi.ERR_ADDRESS_IN_USE -> new AddressInUseException(message);
            case Abi.ERR_IO -> new SystemIOException(message);
            case Abi.ERR_UNSUPPORTED -> new UnsupportedException(message);
            case Abi.ERR_FORKED -> new ForkedException(message);
            case Abi.ERR_INTERNAL -> new InternalException(message);
            case Abi.ERR_STATE -> new StateException(message);
            case Abi.ERR_IN_CALLBACK -> new InCallbackException(message);
            case Abi.ERR_BUFFER_TOO_SMALL -> new BufferTooSmallException(message);
            default -> new MartletException(status, message);
        };
    }
}
