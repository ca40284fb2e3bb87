"""A real Mosquitto (Debian's) on a free port of this machine."""

import contextlib
import signal
import socket
import subprocess
import time

from aerocast_simulator.processes import free_port

from tests.servers import find_server

START_WITHIN_S = 60.0


class Mosquitto:
    """One listener; can be killed, and started again on the same port.

    Parameters
    ----------
    configuration
        Lines of mosquitto.conf for that listener, and others after it.
    general
        Lines that stand before it.
    """

    def __init__(self, folder, configuration, general=""):
        self.port = free_port()
        self._folder = folder
        self._file = folder / "mosquitto.conf"
        self._file.write_text(
            f"user root\nlog_type all\n{general}\nlistener {self.port} 127.0.0.1\n{configuration}"
        )
        self._process = None

    def start(self):
        """Start it, and wait until it listens."""
        with (self._folder / "mosquitto.log").open("ab") as said:
            self._process = subprocess.Popen(
                [find_server("mosquitto"), "-c", str(self._file)], stdout=said, stderr=said
            )
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            time.sleep(0.02)
        raise AssertionError(f"mosquitto does not listen: {self.log[-2000:]}")

    @property
    def log(self):
        """What it has said so far."""
        return (self._folder / "mosquitto.log").read_text(errors="replace")

    def reload(self):
        """Have it read its files again, as ``systemctl reload`` does."""
        self._process.send_signal(signal.SIGHUP)

    def kill(self):
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def mosquitto(folder, configuration, general=""):
    """Run a broker beside the block; a missing one skips by name, and fails in CI."""
    find_server("mosquitto")
    broker = Mosquitto(folder, configuration, general)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
