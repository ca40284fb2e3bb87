"""The command as people run it: a process, its output, its end."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest
from aerocast_simulator.processes import free_port

from tests.hub.postgresql import PostgreSQL, find_binaries

MAIN = "from aerocast_hub.cli import run; run()"


def environment(tmp_path, **settings):
    ours = {f"AEROCAST_HUB_{name.upper()}": str(value) for name, value in settings.items()}
    return os.environ | {"AEROCAST_HUB_DATA_DIR": str(tmp_path / "data")} | ours


@contextlib.contextmanager
def hub(tmp_path, *arguments, **settings):
    with (tmp_path / "log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "serve", *arguments],
            env=environment(tmp_path, **settings),
            cwd=tmp_path,
            stderr=log,
        )
        try:
            yield process, (tmp_path / "log").read_text
        finally:
            process.kill()
            process.wait()


def get(port, path):
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_whole_hub_serves_takes_in_and_ends_when_asked(tmp_path):
    port = free_port()
    with hub(
        tmp_path,
        "--port",
        str(port),
        broker_url="embedded:",
        embedded_broker_port=0,
        embedded_broker_v3_port=0,
    ) as (process, log):
        assert json.loads(get(port, "/health"))["status"] == "ok"
        while "aerocast_hub_broker_connected 1.0" not in (text := get(port, "/metrics")):
            time.sleep(0.1)
        assert "aerocast_hub_inbox_waiting_bytes 0.0" in text
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        lines = [json.loads(line) for line in log().splitlines()]
        assert any("embedded broker on 127.0.0.1" in line["message"] for line in lines)
        assert lines[-1]["message"] == "stopped"
        assert not [line for line in lines if line["log.level"] in {"error", "critical"}]


def test_a_killed_hub_starts_again_on_the_same_ports_at_once(tmp_path):
    port, broker_port = free_port(), free_port()
    settings = {
        "broker_url": "embedded:",
        "embedded_broker_port": broker_port,
        "embedded_broker_v3_port": free_port(),
    }
    for _ in range(2):
        with hub(tmp_path, "--port", str(port), **settings) as (process, _):
            assert json.loads(get(port, "/health"))["status"] == "ok"
            with socket.create_connection(("127.0.0.1", broker_port), 5):
                process.kill()
                process.wait()


def test_one_service_alone_serves_only_its_own(tmp_path):
    port = free_port()
    with hub(tmp_path, "--services", "weather", "--port", str(port)):
        assert json.loads(get(port, "/health"))["status"] == "ok"
        with pytest.raises(urllib.error.HTTPError) as missing:
            get(port, "/api/gateways")
        assert missing.value.code in {401, 404}
        missing.value.close()


def test_a_taken_broker_port_ends_the_hub_with_one_clear_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with hub(tmp_path, "--port", "0", broker_url="embedded:", embedded_broker_port=port) as (
            process,
            log,
        ):
            assert process.wait(60) == 2
            assert "Traceback" not in log()
            assert f"cannot listen on 127.0.0.1:{port}" in log()
            assert "EMBEDDED_BROKER_PORT" in log()


def test_a_taken_http_port_ends_the_hub(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with hub(tmp_path, "--services", "weather", "--port", str(port)) as (process, log):
            assert process.wait(60) == 2
            assert log() == (
                f"aerocast-hub: cannot listen on 127.0.0.1:{port}: Address already in use\n"
            )


def test_a_database_that_is_not_there_ends_the_hub_without_telling_its_password(tmp_path):
    url = f"postgresql://hub:s3cret@127.0.0.1:{free_port()}/hub"
    with hub(tmp_path, "--services", "weather", "--port", "0", database_url=url) as (process, log):
        assert process.wait(60) == 2
        assert "the hub cannot start" in log()
        assert "Traceback" not in log()
        assert "s3cret" not in log()


def test_a_hub_whose_database_says_nothing_stops_when_it_is_asked_to(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://hub@127.0.0.1:{silent.getsockname()[1]}/hub"
        with hub(tmp_path, "--port", str(free_port()), database_url=url) as (process, log):
            silent.settimeout(60)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0  # by itself it gives up after 60 s, with status 2
        lines = [json.loads(line) for line in log().splitlines()]
        assert [line["message"] for line in lines] == ["stopped while starting"]


@contextlib.contextmanager
def standing_still(server):
    """Let a PostgreSQL do nothing, and tell nobody, while the block runs."""
    first = psutil.Process(server.pid)
    first.suspend()  # before its children are looked for: it makes no more of them
    children = first.children(recursive=True)
    for process in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in (first, *children):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


def test_a_database_that_hangs_does_not_keep_a_hub_from_its_end(tmp_path):
    port, server = free_port(), PostgreSQL(find_binaries())
    url = f"postgresql://hub@/postgres?host={server.folder}"
    settings = {"database_url": url, "http_patience_s": 1}
    try:
        server.start()
        with hub(tmp_path, "--services", "weather", "--port", str(port), **settings) as (
            process,
            log,
        ):
            assert json.loads(get(port, "/health"))["status"] == "ok"
            with standing_still(server):
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
            lines = [json.loads(line) for line in log().splitlines()]
    finally:
        server.crash()
        shutil.rmtree(server.folder, ignore_errors=True)
    assert lines[-1]["message"].startswith("stopped, without waiting any longer for engines")
    assert not [line for line in lines if line["log.level"] in {"error", "critical"}]


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"secret_key": "short"}, "secret_key"), ({"database_url": "mysql://x"}, "database_url")],
)
def test_a_wrong_setting_ends_the_hub_with_status_2(tmp_path, settings, told):
    with hub(tmp_path, **settings) as (process, log):
        assert process.wait(60) == 2
        assert told in log()
        assert "Traceback" not in log()
