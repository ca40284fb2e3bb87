"""A gateway's card is copied and both cards run: under one name, nothing is lost or mixed up."""

import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "agent"))

from aerocast_protocols import batch
from brokers import Broker
from fake_hub import FakeHub
from gateway import number_of
from journal import Journal, Key, Life


def until_durable(*lives):
    deadline = time.monotonic() + 60
    while not all('"durable"' in each.said() for each in lives):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_gateways_with_one_cloned_disk_lose_nothing_and_double_nothing(tmp_path):
    journal = Journal()
    original, clone = tmp_path / "spool.db", tmp_path / "clone" / "spool.db"
    first = Life(original, 0, "--rate", 500)  # no broker: everything stays on the card
    until_durable(first)
    time.sleep(0.5)
    first.kill()
    journal.read(first.said())
    clone.parent.mkdir()
    for each in original.parent.glob("spool.db*"):
        shutil.copyfile(each, clone.with_name(each.name))
    broker = Broker(tmp_path)
    broker.start()
    hub = FakeHub(broker.port_v5)
    pair = [
        Life(path, number, "--broker", broker.url_v5, "--rate", 300, "--seed", number)
        for number, path in ((1, original), (2, clone))
    ]
    try:
        until_durable(*pair)
        time.sleep(1.0)
        for life in pair:
            life.finish(40)
            journal.read(life.said())
            assert journal.ended_empty
    finally:
        for life in pair:
            life.kill()
        hub.stop()
        broker.kill()
    assert len(set(journal.epochs)) == 3, "two lives of one count, told apart by chance"
    assert journal.epochs[1] >> 32 == journal.epochs[2] >> 32
    stored = {
        Key(epoch, lane, sequence): number_of(batch.decode_observation(encoded))
        for (lane, epoch), held in hub.stored.items()
        for sequence, encoded in held.items()
    }
    journal.check(stored, set())
    assert {number // 10**9 for number in journal.durable} == {0, 1, 2}
