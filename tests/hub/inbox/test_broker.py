"""The embedded broker comes up although it is killed while it starts."""

import gc
import socket
import threading
import time

import psutil
import pytest
from aerocast_hub.inbox import broker as module
from aerocast_hub.inbox.broker import EmbeddedBroker
from aerocast_hub.inbox.broker_login import hubs_login
from aerocast_hub.telemetry.metrics import Metrics


def children():
    return set(psutil.Process().children())


def kill_the_next_child(others, killed):
    """Kill the next process this one starts, as soon as it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in children() - others:
            child.kill()
            killed.append(child)
            return
        time.sleep(0.001)


# iotcore leaves the pipe of a child that did not come up to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_killed_while_it_starts_is_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 60.0)
    others, killed = children(), []
    killer = threading.Thread(target=kill_the_next_child, args=(others, killed))
    killer.start()
    broker = EmbeddedBroker(tmp_path, Metrics(), [hubs_login()])
    async with broker.running():
        killer.join()
        assert len(killed) == 1
        assert len(children() - others - set(killed)) == 1
        socket.create_connection(("127.0.0.1", broker.port), 5).close()
    gc.collect()
