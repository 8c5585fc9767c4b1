# SPDX-License-Identifier: Apache-2.0
#
# A connection that speaks the protocol by hand, as badly as its user likes. Promises a time limit
# on everything that waits. Does not hide anything: who floods or never reads does it knowingly.

from __future__ import annotations

import select
import socket
import struct
import time

CONNECT = b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n'
WAIT_SECONDS_MAX = 15


class Closed(Exception):
    """The server has closed the connection."""


class Raw:
    def __init__(self, port: int, connect: bytes = CONNECT, receive_bytes: int = 0) -> None:
        """Connects, reads INFO. `receive_bytes`, if set, makes the kernel's buffer that small."""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(WAIT_SECONDS_MAX)
        self._held = bytearray()
        try:
            self.socket.connect(("127.0.0.1", port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.info = self.line()
            if connect:
                self.socket.sendall(connect)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Ends the connection as a broken one ends: a reset, no goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed(str(error)) from error

    def send_some(self, data: bytes, seconds_max: float) -> int:
        """Sends what can be sent in that time; how much it was."""
        end = time.monotonic() + seconds_max
        view, sent = memoryview(data), 0
        self.socket.setblocking(False)
        try:
            while sent < len(data) and (left := end - time.monotonic()) > 0:
                _, writable, _ = select.select([], [self.socket], [], left)
                if writable:
                    sent += self.socket.send(view[sent:sent + 256 * 1024])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed(str(error)) from error
        finally:
            self.socket.settimeout(WAIT_SECONDS_MAX)
        return sent

    def _more(self) -> None:
        try:
            data = self.socket.recv(256 * 1024)
        except ConnectionResetError as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("end of stream")
        self._held += data

    def line(self) -> bytes:
        while (end := self._held.find(b"\n")) < 0:
            self._more()
        line = bytes(self._held[:end])
        del self._held[:end + 1]
        return line.rstrip(b"\r")

    def exactly(self, count: int) -> bytes:
        while len(self._held) < count:
            self._more()
        data = bytes(self._held[:count])
        del self._held[:count]
        return data

    def message(self) -> tuple[bytes, bytes]:
        """The next message: its control line and what follows it. Answers pings on the way."""
        while True:
            line = self.line()
            if line == b"PING":
                self.send(b"PONG\r\n")
            elif line.startswith((b"MSG ", b"HMSG ")):
                return line, self.exactly(int(line.rsplit(b" ", 1)[1]) + 2)[:-2]
            elif line.startswith(b"-ERR"):
                raise Closed(line.decode())

    def round_trip(self) -> list[bytes]:
        """A PING and its PONG; what came before the PONG, without the pings of the server."""
        self.send(b"PING\r\n")
        lines = []
        while (line := self.line()) != b"PONG":
            if line == b"PING":
                self.send(b"PONG\r\n")
            else:
                lines.append(line)
        return lines

    def until_closed(self, seconds_max: float) -> bytes:
        """Everything up to the end of the connection; raises TimeoutError if there is none."""
        end = time.monotonic() + seconds_max
        try:
            while (left := end - time.monotonic()) > 0:
                self.socket.settimeout(left)
                self._more()
        except Closed:
            return bytes(self._held)
        raise TimeoutError(f"the server has not closed the connection within {seconds_max} s")
