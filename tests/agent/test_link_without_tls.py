"""Without TLS loaded, to save memory, the link survives every answer of its socket."""

import subprocess
import sys

import pytest

TRY = """
import socket
from aerocast_agent.imports import DETOURS, TLS, leaving_out
with leaving_out(*DETOURS, *TLS):
    from aerocast_agent import mqtt_link
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
ours, theirs = socket.socketpair()
ours.setblocking(False)
client = Client(CallbackAPIVersion.VERSION2)
client._sock = ours
try:
    while True:
        client._sock_{way}
except BlockingIOError:
    print("waits")
client._sock = None
ours.close()
theirs.close()
"""


@pytest.mark.parametrize("way", ["recv(1)", "send(bytes(65536))"])
def test_a_socket_that_is_not_ready_is_waited_for(way):
    done = subprocess.run(
        [sys.executable, "-c", TRY.replace("{way}", way)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "waits\n", done.stderr
