"""The wall clock jumps under a running gateway: no order changes, nothing is lost, it goes on."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "agent"))

from aerocast_protocols import batch
from aerocast_protocols.observations.gateways import Evicted
from brokers import Broker
from fake_hub import FakeHub
from gateway import number_of
from journal import Journal, Key, Life

# A start in 1970, years ahead, a GPS week rollover (1024 weeks) back, a second back, an hour ahead,
# frozen, the last seconds of 32 bits, and right at last.
MADE = 500  # events at least: waited for, however quick the machine
JUMPS = [
    "@1970-01-01 00:00:10", "+2y", "-7168d", "-1s", "+3600s",
    "2026-03-29 01:59:59", "@2038-01-19 03:14:00", "+0",
]  # fmt: skip


@pytest.fixture
def fake_clock():
    """The library libfaketime, as its own command would load it."""
    try:
        shown = subprocess.run(
            ["faketime", "-f", "+1y", "sh", "-c", "echo $LD_PRELOAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError:
        pytest.skip("faketime is not installed (Debian package faketime)")
    return shown.stdout.strip()


def test_no_jump_of_the_wall_clock_loses_or_reorders_anything(fake_clock, tmp_path):
    broker = Broker(tmp_path)
    broker.start()
    hub = FakeHub(broker.port_v5)
    setting = tmp_path / "faketime"
    setting.write_text(JUMPS[0])
    life = Life(
        tmp_path / "spool.db", 0, "--broker", broker.url_v5, "--rate", 500,
        environment={
            "LD_PRELOAD": fake_clock,
            "FAKETIME_TIMESTAMP_FILE": str(setting),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",
        },
    )  # fmt: skip
    journal = Journal()
    try:
        assert hub.wait_for(lambda hub: len(hub.arrivals) > 2), life.errors()
        for jump in JUMPS[1:]:
            arrived = len(hub.arrivals)
            setting.write_text(jump)
            assert hub.wait_for(lambda hub, n=arrived: len(hub.arrivals) > n + 2), jump
        made = "too few arrived to say anything of their order"
        assert hub.wait_for(lambda hub: sum(map(len, hub.stored.values())) > MADE, 60), made
        life.finish(60)
        journal.read(life.said())
        assert journal.ended_empty
    finally:
        life.kill()
        hub.stop()
        broker.kill()
    sent_ns = [envelope.wall_ns_sent for envelope, _ in hub.envelopes]
    assert min(sent_ns) < 86_400 * 10**9, "it did believe in 1970"
    assert max(sent_ns) > time.time_ns() + 360 * 86_400 * 10**9, "and in the future"
    stored = {}
    for (lane, epoch), held in hub.stored.items():
        seen = {sequence: batch.decode_observation(raw) for sequence, raw in held.items()}
        assert sorted(seen) == list(range(1, len(seen) + 1)), "no hole"
        booted_ns = [seen[sequence].boot_ns for sequence in sorted(seen)]
        assert booted_ns == sorted(booted_ns), "time since boot goes only forward"
        assert not any(isinstance(each, Evicted) for each in seen.values())
        stored |= {Key(epoch, lane, sequence): number_of(each) for sequence, each in seen.items()}
    journal.check(stored, set())
    assert len(journal.durable) == len(journal.seen) > MADE
