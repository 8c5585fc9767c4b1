// SPDX-License-Identifier: Apache-2.0
package io.martlet.raw;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * Owns the look at a shared library before the system loads it: one that is cut off would not be
 * refused by the loader, it would end the program at the first access behind its end.
 */
final class LibraryFile {
    private static final int HEADER_BYTES = 64;
    private static final int ELF_MAGIC = 0x464c457f; // In little endian.
    private static final int CLASS_64 = 2;
    private static final int TYPE_SHARED = 3;
    private static final int SEGMENT_BYTES = 56;
    private static final int SEGMENT_LOADED = 1;

    private LibraryFile() {}

    /**
     * Looks at the headers of an ELF file of 64 bits.
     *
     * @param file the library
     * @throws IOException if it is none, or ends before what its headers say
     */
    static void check(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer header = read(channel, 0, HEADER_BYTES);
            if (header.getInt(0) != ELF_MAGIC || header.get(4) != CLASS_64
                    || header.getShort(16) != TYPE_SHARED) {
                throw new IOException("it is no shared library for this system");
            }
            long segments = header.getLong(32);
            int count = header.getShort(56) & 0xffff;
            long end = segments + (long) count * SEGMENT_BYTES;
            for (int index = 0; index < count; index++) {
                ByteBuffer segment =
                        read(channel, segments + (long) index * SEGMENT_BYTES, SEGMENT_BYTES);
                if (segment.getInt(0) == SEGMENT_LOADED) {
                    end = Math.max(end, segment.getLong(8) + segment.getLong(32));
                }
            }
            if (channel.size() < end) {
                throw new IOException("it is damaged: " + channel.size() + " bytes of " + end);
            }
        }
    }

    private static ByteBuffer read(FileChannel channel, long offset, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (offset < 0) {
            throw new IOException("it is damaged: its headers make no sense");
        }
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, offset + buffer.position()) < 0) {
                throw new EOFException("it is damaged: it ends within its headers");
            }
        }
        return buffer.flip();
    }
}
