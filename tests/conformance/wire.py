# SPDX-License-Identifier: Apache-2.0
#
# Owns one connection of a transcript: a blocking socket with a deadline on every wait. Promises
# that no byte is lost or invented and that a close is told apart from silence. Does not judge what
# came.

from __future__ import annotations

import contextlib
import socket
import time

CONNECT_SECONDS_MAX = 5.0
SPLIT_PAUSE_SECONDS = 0.00005
SPLIT_BYTES_MAX = 512  # of one send, at each end; the middle of a longer one goes in odd pieces
SPLIT_PIECES_MAX = 509
READ_BYTES = 1 << 18


class Wire:
    """Lifecycle: open, then send and read by one thread, then close."""

    def __init__(self, port: int, split: bool, receive_buffer_bytes: int | None) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(CONNECT_SECONDS_MAX)
        if receive_buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(("127.0.0.1", port))
        self.split = split
        self.buffer = b""
        self.closed_by_server = False

    def send(self, data: bytes, timeout_s: float) -> None:
        """A server that has closed is no error here: what the transcript expects next tells."""
        self.socket.settimeout(timeout_s)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if not self.split:
                self.socket.sendall(data)
                return
            for piece in split_pieces(data):
                self.socket.sendall(piece)
                time.sleep(SPLIT_PAUSE_SECONDS)

    def fill(self, deadline: float) -> bool:
        """Waits for more bytes; False when the time is over or the server has closed."""
        if self.closed_by_server:
            return False
        try:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            data = self.socket.recv(READ_BYTES)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        if not data:
            self.closed_by_server = True
            return False
        self.buffer += data
        return True

    def take(self, count: int) -> bytes:
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()


def split_pieces(data: bytes) -> list[bytes]:
    """Single bytes; of a long send only the ends, so that a megabyte does not take minutes."""
    if len(data) <= 2 * SPLIT_BYTES_MAX:
        return [data[i : i + 1] for i in range(len(data))]
    middle_end = len(data) - SPLIT_BYTES_MAX
    pieces = [data[i : i + 1] for i in range(SPLIT_BYTES_MAX)]
    step = max(len(data) // SPLIT_PIECES_MAX, 7) | 1
    pieces += [
        data[i : min(i + step, middle_end)] for i in range(SPLIT_BYTES_MAX, middle_end, step)
    ]
    pieces += [data[i : i + 1] for i in range(middle_end, len(data))]
    return pieces
