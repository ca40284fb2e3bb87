"""A Redis of our own: on a free port, in a folder of its own, killed and started again at will."""

import socket
import subprocess
import time
from contextlib import contextmanager

from aerocast_simulator.processes import free_port

from tests.servers import find_server


class RedisServer:
    """A server that keeps nothing on disk."""

    def __init__(self, folder):
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        """Start it (again)."""
        settings = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "save": "",
            "appendonly": "no",
        }
        given = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen(
            [find_server("redis-server"), *given],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(16).startswith(b"+PONG"):
                        return
            except OSError:
                time.sleep(0.02)
        raise TimeoutError("redis-server does not answer")

    def kill(self):
        """End it at once, as a crash does."""
        self._process.kill()
        self._process.wait()


@contextmanager
def running_redis(folder):
    """Run a server beside the block."""
    server = RedisServer(folder)
    try:
        yield server
    finally:
        server.kill()
