"""A real broker (rumqttd in iotcore's wheel) on free ports of this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

from aerocast_simulator.processes import free_port

START_WITHIN_S = 60.0
LISTENER = """
[{section}.1]
name = "{section}"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[{section}.1.connections]
connection_timeout_ms = 60000
max_payload_size = 262144
max_inflight_count = 200
dynamic_filters = true
"""
ROUTER = """
id = 0
[router]
id = 0
max_connections = 1010
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
"""
SERVE = (
    "import sys; sys.path[:] = [p for p in sys.path if p not in ('', '.')]; "
    "from iotcore._serve import main; main()"
)


class Broker:
    """MQTT 5 and 3.1.1 on a port each; can be killed and started again on the same ports."""

    def __init__(self, folder):
        self.port_v5, self.port_v3 = free_port(), free_port()
        self.url_v5 = f"mqtt://127.0.0.1:{self.port_v5}"
        self.url_v3 = f"mqtt://127.0.0.1:{self.port_v3}"
        self._config = folder / "broker.toml"
        self._config.write_text(
            ROUTER
            + LISTENER.format(section="v4", port=self.port_v3)
            + LISTENER.format(section="v5", port=self.port_v5)
        )
        self._process = None

    def start(self):
        options = json.dumps({"config_path": str(self._config)})
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVE, options], stdin=subprocess.PIPE
        )
        for port in (self.port_v5, self.port_v3):
            ends_s = time.monotonic() + START_WITHIN_S
            while time.monotonic() < ends_s and self._process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port), 0.2).close()
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                raise AssertionError(f"the broker does not listen on {port}")

    def kill(self):
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process.stdin.close()
            self._process = None
