// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.io.ByteArrayOutputStream;
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

    /**
     * No client at all, and next to no work: what it sends is encoded once and said again, so that
     * the machine is left to who receives.
     */
    final class BareSocket implements BenchmarkPublisher {
        private static final int BLOCK_BYTES = 64 * 1024;

        private final Socket socket;
        private final OutputStream out;
        private String subject = "";
        private byte[] body = {};
        private byte[] block = {};
        private int bytesEach = 1;
        private int waiting; // Bytes of the block that are to be sent.

        private BareSocket(Socket socket) throws IOException {
            this.socket = socket;
            out = socket.getOutputStream();
        }

        static BareSocket connect(URI url) throws IOException {
            BareSocket made = new BareSocket(new Socket(url.getHost(), url.getPort()));
            made.out.write("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
            return made;
        }

        @Override
        public void publish(String to, byte[] data) throws IOException {
            if (to != subject || data != body) {
                flush();
                encode(to, data);
            }
            waiting += bytesEach;
            if (waiting == block.length) {
                flush();
            }
        }

        private void encode(String to, byte[] data) {
            subject = to;
            body = data;
            ByteArrayOutputStream one = new ByteArrayOutputStream();
            one.writeBytes(("PUB " + to + " " + data.length + "\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            one.writeBytes(data);
            one.writeBytes(new byte[] {'\r', '\n'});
            bytesEach = one.size();
            ByteArrayOutputStream many = new ByteArrayOutputStream();
            do {
                many.writeBytes(one.toByteArray());
            } while (many.size() < BLOCK_BYTES);
            block = many.toByteArray();
        }

        @Override
        public void flush() throws IOException {
            out.write(block, 0, waiting);
            waiting = 0;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
