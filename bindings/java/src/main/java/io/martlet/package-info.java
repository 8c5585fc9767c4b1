// SPDX-License-Identifier: Apache-2.0

/**
 * Owns Martlet's Java interface: a NATS client ({@link io.martlet.Nats}, {@link
 * io.martlet.Connection}), and a NATS broker that runs inside the program ({@link
 * io.martlet.Server}). Its names are those that users of the NATS client for Java know. Every
 * method may be called from any thread; none pins a virtual thread while it waits.
 */
@NullMarked
package io.martlet;

import org.jspecify.annotations.NullMarked;
