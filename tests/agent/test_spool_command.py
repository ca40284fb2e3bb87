"""What technicians do to a spool: list, export, verify; while it is written and when it is not."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from aerocast_agent import clock
from aerocast_agent.cli import main
from aerocast_agent.spool import Spool
from aerocast_protocols import batch
from aerocast_protocols.batch import Acknowledgement
from aerocast_protocols.observations.bags import CodeScan, TagRead
from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE
from aerocast_protocols.observations.gateways import ClockAnchor, DeviceEvent

BUDGET = 16 * 1024 * 1024


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "agent.toml"
    file.write_text('[gateway]\nsite = "lfbo"\nname = "hall-1"\n[spool]\npath = "spool.db"\n')
    return file


def scan(number):
    return CodeScan(
        device="desk",
        boot_ns=clock.boot_ns(),
        content="plate",
        licence_plate=f"{number:010}",
        text=f"{number:010}",
    )


def filled(folder, *, boot_id=None, scans=3, reads=5):
    spool = Spool(folder / "spool.db", BUDGET, boot_id or clock.boot_id())
    spool.start()
    for number in range(scans):
        spool.add(CRITICAL, batch.encode_observation(scan(number)))
    for number in range(reads):
        read = TagRead(device="portal", boot_ns=clock.boot_ns(), epc=bytes([number]) * 12)
        spool.add(BULK, batch.encode_observation(read))
    spool.flush().result(60)
    return spool


def spool_command(capsys, *arguments):
    code = main(["spool", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


def test_batches_are_listed_while_the_daemon_writes_and_after(tmp_path, config, capsys):
    spool = filled(tmp_path)
    code, out, _ = spool_command(capsys, "ls", "--config", config, "--json")
    spool.stop()
    assert code == 0
    critical, bulk = lines(out)
    assert (critical["lane"], critical["count"]) == ("critical", 3)
    assert (bulk["lane"], bulk["first_sequence"], bulk["last_sequence"]) == ("bulk", 1, 5)
    assert abs(bulk["accepted_at_us"] - clock.wall_ns() / 1000) < 60e6
    again = spool_command(capsys, "ls", "--config", config, "--lane", "bulk", "--json")
    assert (again[0], [each["lane"] for each in lines(again[1])]) == (0, ["bulk"])
    code, out, _ = spool_command(capsys, "ls", "--config", config)
    assert out.splitlines()[-1].startswith("2 batches, 8 observations waiting in ")


def test_what_the_hub_refused_is_listed_as_dead(tmp_path, config, capsys):
    spool = filled(tmp_path)
    spool.acknowledge(
        Acknowledgement(
            lane=CRITICAL,
            epoch=spool.epoch,
            up_to_sequence=0,
            missing_ranges=((2, 2),),
            status=batch.REFUSED,
        )
    )
    spool.flush().result(60)
    _, out, _ = spool_command(capsys, "ls", "--dead", "--json", "--config", config)
    spool.stop()
    (dead,) = lines(out)
    assert (dead["state"], dead["reason"], dead["first_sequence"]) == ("dead", "refused", 2)
    assert (
        spool_command(capsys, "ls", "--dead", "--config", config)[1]
        .splitlines()[1]
        .endswith("refused")
    )


def test_export_gives_every_observation_with_all_its_fields(tmp_path, config, capsys):
    filled(tmp_path).stop()
    code, out, err = spool_command(capsys, "export", "--config", config)
    assert (code, err) == (0, "")
    exported = lines(out)
    assert [each["sequence"] for each in exported] == [1, 2, 3, 1, 2, 3, 4, 5]
    assert exported[0]["licence_plate"] == "0000000000"
    assert exported[0]["symbology"] is None
    assert exported[4]["epc"] == "01" * 12
    code, out, _ = spool_command(capsys, "export", "--kind", "code_scan", tmp_path / "spool.db")
    assert {each["kind"] for each in lines(out)} == {"code_scan"}


def test_export_makes_a_database_of_one_table_a_kind_and_never_changes_one(
    tmp_path, config, capsys
):
    filled(tmp_path).stop()
    made = tmp_path / "seen.db"
    code, out, _ = spool_command(capsys, "export", "--database", made, "--config", config, "--json")
    assert code == 0
    assert lines(out) == [{"table": "code_scan", "rows": 3}, {"table": "tag_read", "rows": 5}]
    with closing(sqlite3.connect(made)) as db:
        found = db.execute("SELECT licence_plate, seen_at_utc FROM code_scan").fetchall()
    assert [plate for plate, _ in found] == ["0000000000", "0000000001", "0000000002"]
    code, _, err = spool_command(capsys, "export", "--database", made, "--config", config)
    assert code == 2
    assert "Next:" in err


def test_times_of_an_earlier_boot_come_from_its_anchor_or_are_unknown(tmp_path, config, capsys):
    boot_id = bytes(range(16))
    spool = filled(tmp_path, boot_id=boot_id, reads=0)
    _, out, _ = spool_command(capsys, "export", "--config", config)
    assert {each["seen_at_us"] for each in lines(out)} == {None}
    anchor = ClockAnchor(
        device="agent",
        boot_ns=clock.boot_ns(),
        boot_id=boot_id,
        wall_ns=1_800_000_000_000_000_000,
        source="ntp",
        quality=3,
    )
    spool.add(LIVE, batch.encode_observation(anchor))
    spool.flush().result(60)
    spool.stop()
    _, out, _ = spool_command(capsys, "export", "--config", config)
    assert all(abs(each["seen_at_us"] - 1_800_000_000_000_000) < 60e6 for each in lines(out))


def test_an_observation_of_a_newer_version_is_refused_in_its_place(tmp_path, config, capsys):
    spool = filled(tmp_path, scans=1, reads=0)
    spool.add(LIVE, b"\x81\xa4kind\xa3new")
    told = DeviceEvent(device="desk", boot_ns=1, event="connected")
    spool.add(LIVE, batch.encode_observation(told))
    spool.flush().result(60)
    spool.stop()
    code, out, _ = spool_command(capsys, "export", "--config", config)
    first, refused, last = lines(out)
    assert code == 1
    assert set(refused) == {"error", "input"}
    assert (first["kind"], last["kind"]) == ("code_scan", "device_event")


def test_a_sound_spool_verifies_while_it_is_written(tmp_path, config, capsys):
    spool = filled(tmp_path)
    code, out, _ = spool_command(capsys, "verify", "--config", config, "--json")
    spool.stop()
    assert code == 0
    assert all(each["well"] for each in lines(out))
    assert {each["what"] for each in lines(out)} >= {"pages", "totals", "critical", "bulk"}


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE batch SET body = zeroblob(40) WHERE lane = 0", "checksum"),
        ("UPDATE batch SET first = first + 7 WHERE lane = 0", "says"),
        ("UPDATE meta SET value = value + 3 WHERE key = 'accepted'", "came in"),
        ("DELETE FROM batch WHERE lane = 2", "left"),
    ],
)
def test_verify_names_what_is_not_as_it_was_written(tmp_path, config, capsys, damage, told):
    filled(tmp_path).stop()
    with closing(sqlite3.connect(tmp_path / "spool.db")) as db, db:
        db.execute(damage)
    code, out, err = spool_command(capsys, "verify", "--config", config, "--json")
    assert code == 1
    assert any(told in each["found"] for each in lines(out) if not each["well"])
    assert "spool salvage" in err


def test_what_cannot_be_read_says_why_and_what_to_try(tmp_path, config, capsys):
    code, _, err = spool_command(capsys, "ls", "--config", config)
    assert code == 1
    assert "no such file" in err
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as db, db:
        db.execute("CREATE TABLE t (a)")
    for file in (other, tmp_path / "agent.toml"):
        code, _, err = spool_command(capsys, "verify", file)
        assert code == 1
        assert "Next: 'aerocast-agent spool salvage" in err
    assert spool_command(capsys, "ls", "--config", tmp_path / "none.toml")[0] == 2
    assert spool_command(capsys, "lst")[0] == 2
    assert spool_command(capsys, "ls", "--lane", "urgent")[0] == 2


def test_the_daemon_does_not_carry_what_the_commands_need():
    carried = (
        "import sys, aerocast_agent.daemon, aerocast_agent.cli.run;"
        "print('sqlite_utils' in sys.modules or 'click' in sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", carried], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "False"


def test_a_file_that_may_only_be_read_is_read(tmp_path, config, capsys):
    filled(tmp_path).stop()
    folder = Path(tmp_path)
    folder.chmod(0o500)
    try:
        code, out, _ = spool_command(capsys, "ls", "--config", config, "--json")
    finally:
        folder.chmod(0o700)
    assert code == 0
    assert len(lines(out)) == 2
