"""A WebSocket client as small as can be (RFC 6455): text frames from the server, no extensions."""

import base64
import os
import socket
from contextlib import contextmanager
from urllib.parse import urlsplit


class RefusedError(Exception):
    """The server did not switch protocols."""


class WebSocket:
    def __init__(self, connection):
        self.stream = connection.makefile("rwb")

    def shake_hands(self, parts, headers):
        key = base64.b64encode(os.urandom(16)).decode()
        told = {
            "host": parts.netloc,
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-key": key,
            "sec-websocket-version": "13",
        } | headers
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
        self.stream.write("\r\n".join([*lines, "", ""]).encode())
        self.stream.flush()
        status = self.stream.readline().decode()
        while self.stream.readline() not in (b"\r\n", b""):
            pass
        if " 101 " not in status:
            raise RefusedError(status)

    def receive(self):
        """Give the next text, whole; None when the server closes."""
        text = b""
        while True:
            first, second = self.stream.read(2)
            length = second & 0x7F
            if length >= 126:
                length = int.from_bytes(self.stream.read(2 if length == 126 else 8), "big")
            body = self.stream.read(length)
            opcode = first & 0x0F
            if opcode == 8:
                return None
            if opcode in (0, 1):
                text += body
                if first & 0x80:
                    return text.decode()

    def close(self):
        self.stream.write(b"\x88\x80" + bytes(4))
        self.stream.flush()
        self.stream.close()


@contextmanager
def web_socket(url, headers):
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        opened = WebSocket(connection)
        try:
            opened.shake_hands(parts, headers)
        except RefusedError:
            opened.stream.close()
            raise
        try:
            yield opened
        finally:
            opened.close()
