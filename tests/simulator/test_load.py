"""The load of many gateways, with a real broker and a real hub."""

import json
import subprocess
import sys
import threading

import pytest
from aerocast_simulator.load import main, read_broker

from tests.hub.test_serve import environment, free_port, get, hub
from tests.mosquitto import mosquitto

WORD = "a long word for a long night"
COMMAND = "from aerocast_hub.cli import main; raise SystemExit(main())"


@pytest.fixture
def broker(tmp_path):
    with mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 0\n") as running:
        yield running


@pytest.fixture
def hub_port(broker, tmp_path):
    port = free_port()
    settings = {"broker_url": f"mqtt://127.0.0.1:{broker.port}", "http_port": port}
    (tmp_path / "word").write_text(WORD)
    subprocess.run(
        [
            sys.executable,
            "-c",
            COMMAND,
            "user",
            "add",
            "admin",
            "--role",
            "admin",
        ],
        env=environment(tmp_path, **settings),
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        input=WORD,
    )
    with hub(tmp_path, **settings):
        get(port, "/health")
        yield port


def load(broker, tmp_path, hub_port, *more):
    return main(
        [
            *(
                "--broker",
                f"mqtt://127.0.0.1:{broker.port}",
                "--hub",
                f"http://127.0.0.1:{hub_port}",
            ),
            *("--password-file", str(tmp_path / "word"), "--gateways", "30", *more),
        ]
    )


def test_what_many_gateways_see_is_confirmed_once_though_the_broker_dies(
    broker, hub_port, tmp_path, capsys
):
    def die_and_come_back():
        broker.kill()
        broker.start()

    dying = threading.Timer(2.0, die_and_come_back)
    dying.start()
    status = load(broker, tmp_path, hub_port, "--seconds", "5")
    dying.join()
    said = capsys.readouterr()
    summary = json.loads(said.out)
    assert status == 0, said.err
    assert summary["made"] == summary["acknowledged"] > 30 * 5 * 3
    assert summary["reconnects"] >= 30
    assert "on their way" in said.err
    # Gateways that are registered already stay so: a second run is welcome.
    assert load(broker, tmp_path, hub_port, "--seconds", "1") == 0


def test_without_a_hub_nothing_is_confirmed_and_the_status_says_so(broker, capsys):
    arguments = ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--gateways", "3"]
    assert main([*arguments, "--seconds", "1", "--drain", "0"]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert summary["acknowledged"] == 0
    assert summary["wait_ms_p99"] is None


@pytest.mark.parametrize("url", ["broker:1883", "http://a", "mqtt://", "mqtt://a:x"])
def test_an_address_that_is_none_is_refused_without_its_password(url, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--broker", url])
    assert ended.value.code == 2
    assert "mqtt://[user:password@]host:port" in capsys.readouterr().err


def test_an_address_may_carry_a_login():
    assert read_broker("mqtt://me:p%40ss@broker") == ("broker", 1883, "me", "p@ss")
