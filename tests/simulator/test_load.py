"""The load of many gateways, with a real broker and a real hub."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from aerocast_simulator.load import main, read_broker
from aerocast_simulator.load_hub import Books, outcome, samples
from aerocast_simulator.processes import free_port
from hypothesis import given
from hypothesis import strategies as st

from tests.hub.test_serve import environment, get, hub
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
        deadline_s = time.monotonic() + 60
        while not connections(broker.port):  # it answers before it listens to the broker
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
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
            *("--password-file", str(tmp_path / "word"), "--gateways", "30", "--json", *more),
        ]
    )


def connections(port):
    """Count whoever is connected to a port of this machine."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    places = [(row.split()[1], row.split()[3]) for row in rows]
    return sum(at.endswith(f":{port:04X}") and state == "01" for at, state in places)


@pytest.mark.timeout(400)
def test_what_many_gateways_see_is_confirmed_once_though_the_broker_dies(
    broker, hub_port, tmp_path, capsys
):
    others = connections(broker.port)

    def die_and_come_back():
        deadline_s = time.monotonic() + 60
        while connections(broker.port) < others + 30 and time.monotonic() < deadline_s:
            time.sleep(0.01)
        broker.kill()
        broker.start()

    dying = threading.Thread(target=die_and_come_back)
    dying.start()
    status = load(broker, tmp_path, hub_port, "--seconds", "10", "--drain", "150")
    dying.join()
    said = capsys.readouterr()
    summary = json.loads(said.out)
    assert status == 0, said.err
    # Five reads a second and gateway; a slow machine leaves seconds out.
    assert summary["made"] == summary["acknowledged"] >= 30 * 5
    assert (summary["lost"], summary["doubled"]) == (0, 0)
    assert 0 < summary["wait_ms_p50"] <= summary["wait_ms_p99"] <= summary["wait_ms_max"]
    assert summary["confirmed_per_s"] > 0
    assert 20 < summary["hub_memory_mb"] < 2000
    assert summary["hub_open_files"] > 5
    assert summary["reconnects"] >= 30
    assert "on their way" in said.err
    # Gateways that are registered already stay so: a second run is welcome.
    assert load(broker, tmp_path, hub_port, "--seconds", "1") == 0


def test_without_a_hub_nothing_is_confirmed_and_the_status_says_so(broker, capsys):
    arguments = ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--gateways", "3"]
    arguments += ["--seconds", "5", "--drain", "0"]
    assert main([*arguments, "--json"]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert summary["acknowledged"] == 0
    unknown = ("lost", "doubled", "wait_ms_p99", "hub_memory_mb", "hub_open_files")
    assert [summary[each] for each in unknown] == [None] * 5
    assert main(arguments) == 1
    assert "lost / stored twice         not known / not known" in capsys.readouterr().out


def test_more_gateways_than_files_are_refused_before_they_begin(broker):
    module = "aerocast_simulator.load"
    asked = f"-m {module} --broker mqtt://127.0.0.1:{broker.port} --gateways 500"
    told = subprocess.run(
        ["sh", "-c", f"ulimit -n 200; exec {sys.executable} {asked}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    assert "500 gateways need 564 open files, 200 are allowed: ulimit -Hn" in told.stderr


NAMES = st.sampled_from(["g1", "g2", "g3"])
COUNTS = st.dictionaries(NAMES, st.integers(0, 50))


@given(COUNTS, COUNTS, COUNTS, st.integers(0, 9), st.dictionaries(NAMES, st.integers(0, 9)))
def test_what_is_confirmed_and_not_there_is_lost_and_a_row_too_many_is_doubled(
    had, confirmed, unconfirmed, doubled, missing
):
    missing = {name: min(missing.get(name, 0), number) for name, number in confirmed.items()}
    taken = {name: number - missing[name] for name, number in confirmed.items()}
    for name, number in unconfirmed.items():  # stored, and its confirmation on the way
        if not missing.get(name):
            taken[name] = taken.get(name, 0) + number
    has = {name: had.get(name, 0) + taken.get(name, 0) for name in had.keys() | taken.keys()}
    before = Books(had, 100, None, None)
    after = Books(has, 100 + sum(taken.values()) + doubled, None, None)
    assert outcome(confirmed, before, after) == (sum(missing.values()), doubled)
    assert outcome(confirmed, before, after._replace(stored=None)).doubled is None


def test_metrics_are_read_by_name_and_labels():
    told = samples('# HELP a b\na_total{x="1",y="2"} 3.0\nb 1.5e+08\n')
    assert told == {'a_total{x="1",y="2"}': 3.0, "b": 1.5e8}


@pytest.mark.parametrize("url", ["broker:1883", "http://a", "mqtt://", "mqtt://a:x"])
def test_an_address_that_is_none_is_refused_without_its_password(url, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--broker", url])
    assert ended.value.code == 2
    assert "mqtt://[user:password@]host:port" in capsys.readouterr().err


def test_an_address_may_carry_a_login():
    assert read_broker("mqtt://me:p%40ss@broker") == ("broker", 1883, "me", "p@ss")
