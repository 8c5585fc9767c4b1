// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** Owns what Benchmark lets send messages: a client, or a bare socket. */
interface BenchmarkPublisher extends AutoCloseable {
    void publish(String subject, byte[] body) throws Exception;

    void flush() throws Exception;

    /** How one is made. */
    @FunctionalInterface
    interface Maker {
        BenchmarkPublisher connect() throws Exception;
    }

    /** No client at all: the machine is left to who receives. */
    record BareSocket(Socket socket, OutputStream out) implements BenchmarkPublisher {
        private static final int BUFFER_BYTES = 64 * 1024;

        static BareSocket connect(URI url) throws IOException {
            Socket socket = new Socket(url.getHost(), url.getPort());
            OutputStream out = new BufferedOutputStream(socket.getOutputStream(), BUFFER_BYTES);
            out.write("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n".getBytes(StandardCharsets.US_ASCII));
            return new BareSocket(socket, out);
        }

        @Override
        public void publish(String subject, byte[] body) throws IOException {
            out.write(("PUB " + subject + " " + body.length + "\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            out.write(body);
            out.write('\r');
            out.write('\n');
        }

        @Override
        public void flush() throws IOException {
            out.flush();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
