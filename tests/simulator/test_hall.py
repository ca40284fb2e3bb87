"""The simulated hall: the same from one seed, true to itself, and written as gateways log."""

import json
from itertools import pairwise

import pytest
from aerocast_agent.cli.decode import run
from aerocast_protocols.epc.bag_tag import decode_bag_tag
from aerocast_protocols.observations.bags import GpioEdge, TagRead
from aerocast_simulator.hall import make_hall, write_hall


@pytest.fixture(scope="module")
def hall():
    return make_hall(5, bags=45)


def reads_of(hall, epc):
    return [
        each for each in hall.observations if isinstance(each, TagRead) and each.epc.hex() == epc
    ]


def test_the_same_seed_is_the_same_hall_and_another_is_not(hall):
    assert make_hall(5, bags=45) == hall
    assert make_hall(6, bags=3).bags != make_hall(5, bags=3).bags


def test_everything_comes_in_order_of_time(hall):
    assert all(one.boot_ns <= after.boot_ns for one, after in pairwise(hall.observations))


def test_bags_are_read_around_when_they_pass_and_dead_tags_never(hall):
    for bag in hall.bags:
        assert decode_bag_tag(bytes.fromhex(bag.epc)).licence_plate == bag.plate
        reads = reads_of(hall, bag.epc)
        assert bool(reads) or not bag.readable
        assert not (bag.dead and reads)
        if bag.readable and not bag.stopped_in_field and not bag.recirculated:
            own = [each for each in reads if each.device[-1] == bag.belt[-1]]
            loudest = max(own, key=lambda each: each.rssi_dbm)
            assert abs(loudest.boot_ns / 1000 - bag.passed_at_us[0]) < 3e6


def test_a_bag_breaks_its_beam_around_when_it_passes(hall):
    for bag in hall.bags:
        start_us, end_us = bag.eye_us
        assert start_us <= bag.passed_at_us[0] + 20_000
        assert bag.passed_at_us[1] <= end_us + 20_000


def test_edges_of_a_beam_alternate(hall):
    for belt in hall.belts:
        device = belt["photo_eye"].partition(":")[0]
        levels = [
            each.level
            for each in hall.observations
            if isinstance(each, GpioEdge) and each.device == device
        ]
        assert levels
        assert all(one != after for one, after in pairwise(levels))


def test_readers_dwell_on_an_antenna_and_report_in_steps(hall):
    reads = [each for each in hall.observations if isinstance(each, TagRead)]
    assert all(each.rssi_dbm * 2 == round(each.rssi_dbm * 2) for each in reads)
    one = [each for each in reads if each.device == "portal-1"]
    changes = sum(before.antenna != after.antenna for before, after in pairwise(one))
    assert 0 < changes < len(one) / 3


def test_belts_stop_and_jog_back_in_some_hall():
    halls = [make_hall(seed, bags=40) for seed in (1, 2)]
    bags = [bag for hall in halls for bag in hall.bags]
    assert any(bag.stopped_in_field for bag in bags)
    assert any(bag.reversed_in_field for bag in bags)


def test_a_written_hall_is_decoded_and_scored(hall, tmp_path, capsys):
    write_hall(hall, tmp_path)
    log = tmp_path / "reads.jsonl.gz"
    options = ["--config", str(tmp_path / "agent.toml"), "--truth", str(tmp_path / "truth.json")]
    assert run(["passages", str(log), "--json", *options]) == 0
    told = capsys.readouterr()
    kinds = [json.loads(line)["kind"] for line in told.out.splitlines()]
    assert kinds.count("passage") >= 38
    readable = sum(bag.readable for bag in hall.bags)
    assert f"of {readable} readable bags" in told.err
    assert " 0 wrong" in told.err


def test_a_packed_log_that_is_cut_short_is_decoded_as_far_as_it_goes(hall, tmp_path, capsys):
    write_hall(hall, tmp_path)
    log = tmp_path / "reads.jsonl.gz"
    log.write_bytes(log.read_bytes()[:-40_000])
    assert run(["passages", str(log), "--json", "--config", str(tmp_path / "agent.toml")]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum("error" in line for line in lines) == 1
    assert len(lines) > 10


def test_a_truth_that_cannot_be_read_is_wrong_usage(hall, tmp_path):
    write_hall(hall, tmp_path)
    (tmp_path / "truth.json").write_text("{}")
    options = ["--config", str(tmp_path / "agent.toml"), "--truth", str(tmp_path / "truth.json")]
    with pytest.raises(SystemExit) as left:
        run(["passages", str(tmp_path / "reads.jsonl.gz"), *options])
    assert left.value.code == 2
