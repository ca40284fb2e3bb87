"""Recordings played as if the device were there, at the recording's own pace."""

import asyncio
import base64
import gzip
import json
import time
from pathlib import Path

import pytest
from aerocast_agent import clock
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.drivers.replay import Replay
from aerocast_agent.recordings import read_recording
from aerocast_agent.stands import Stands
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp.events import GpiEvent, encode_notification
from aerocast_protocols.llrp.framing import MessageType, encode_message
from aerocast_protocols.llrp.tag_report import TagReport, encode_tag_reports
from aerocast_protocols.modes.beast import encode_beast
from aerocast_protocols.nmea.sentences import Sentence, encode_sentence
from aerocast_protocols.observations.aircraft import AircraftGroundEvent, AircraftState
from aerocast_protocols.observations.bags import CodeScan, GpioEdge, NoRead, TagRead
from aerocast_protocols.observations.gateways import DeviceEvent, PositionFix

DATA = Path(__file__).parents[2].parent / "shared" / "data"
EPC = bytes.fromhex("0c21050109376895" + "22020106")
S = 1_000_000_000
# DF17 frames of aircraft 40621D, from "The 1090 MHz riddle" (J. Sun): over the Netherlands.
EVEN, ODD = "8D40621D58C382D690C8AC2863A7", "8D40621D58C386435CC412692AD6"


class Table(AircraftTable):
    """An aircraft table that remembers when it was told of time."""

    def __init__(self):
        super().__init__((52.0, 4.0), Stands([]))
        self.frames, self.ticks = [], []

    def update(self, device, frame, boot_ns, signal_dbfs=None, *, is_mlat=False):
        self.frames.append(boot_ns)
        return super().update(device, frame, boot_ns, signal_dbfs, is_mlat=is_mlat)

    def advance(self, device, boot_ns):
        self.ticks.append(boot_ns)
        return super().advance(device, boot_ns)


async def play(path, kind, *, speed=0.0, start_us=None, table=None):
    seen = []
    table = Table() if table is None else table
    replay = Replay("d", path, kind, speed, start_us, aircraft=table)
    async with asyncio.timeout(60):
        await replay.run(seen.append)
    assert isinstance(seen[0], DeviceEvent)
    return seen[1:]


def written(folder, content: bytes):
    path = folder / "recording"
    path.write_bytes(content)
    return path


def tag_reports(*stamps_us):
    return b"".join(
        encode_message(
            MessageType.RO_ACCESS_REPORT,
            number,
            encode_tag_reports([TagReport(epc=EPC, antenna=2, rssi_dbm=-50, first_seen_us=stamp)]),
        )
        for number, stamp in enumerate(stamps_us)
    )


async def test_tag_reads_keep_the_readers_pace_from_the_start_that_was_asked_for(tmp_path):
    path = written(tmp_path, tag_reports(5_000_000, 5_250_000, 7_000_000))
    start_us = 1_000_000_000_000_000
    seen = await play(path, "llrp", start_us=start_us)
    assert [type(read) for read in seen] == [TagRead] * 3
    assert [(read.epc, read.antenna, read.rssi_dbm) for read in seen] == [(EPC, 2, -50)] * 3
    assert seen[1].boot_ns - seen[0].boot_ns == 250_000_000
    assert seen[2].boot_ns - seen[0].boot_ns == 2_000_000_000
    assert seen[0].boot_ns < 0  # 2001: long before this machine was started
    wall_ns = clock.wall_ns() - clock.boot_ns() + seen[0].boot_ns
    assert abs(wall_ns // 1000 - start_us) < 1_000_000
    assert seen[2].reader_seen_at_us == 7_000_000


async def test_reports_without_a_stamp_and_photo_eyes_take_their_place_in_between(tmp_path):
    edge = encode_message(
        MessageType.READER_EVENT_NOTIFICATION,
        9,
        encode_notification([GpiEvent(1, True)], utc_us=6_000_000),  # noqa: FBT003  the eye is blocked
    )
    path = written(tmp_path, tag_reports(5_000_000, None) + edge + b"\x04\x3d")
    first, untimed, blocked = await play(path, "llrp")
    assert first.boot_ns < untimed.boot_ns < blocked.boot_ns
    assert isinstance(blocked, GpioEdge)
    assert (blocked.pin, blocked.level, blocked.boot_ns - first.boot_ns) == (1, 1, S)


async def test_the_first_moment_is_now_unless_a_start_is_given(tmp_path):
    path = written(tmp_path, b"0220123456\n")
    before_ns = clock.boot_ns()
    (scan,) = await play(path, "scan")
    assert before_ns <= scan.boot_ns <= clock.boot_ns()


async def test_scans_come_one_a_second_and_gzip_is_unpacked(tmp_path):
    texts = gzip.compress(b"]I00220123456\r\nNoRead\n\nM1SMITH/JOHN\n")
    plate, no_read, boarding_pass = await play(written(tmp_path, texts), "scan")
    assert isinstance(plate, CodeScan)
    assert isinstance(no_read, NoRead)
    assert (plate.licence_plate, boarding_pass.text) == ("0220123456", None)
    assert no_read.boot_ns - plate.boot_ns == S
    assert boarding_pass.boot_ns - plate.boot_ns == 2 * S


# An hour that was not hurried would not end in this test.
@pytest.mark.parametrize(("speed", "lasts_s"), [(4.0, 1), (20.0, 1), (7200.0, 3600)])
async def test_speed_sets_how_long_it_takes_and_changes_nothing_else(tmp_path, speed, lasts_s):
    path = written(tmp_path, tag_reports(1_000_000, 1_500_000, 1_000_000 * (1 + lasts_s)))
    began = time.monotonic()
    seen = await play(path, "llrp", speed=speed)
    assert time.monotonic() - began >= lasts_s / speed
    assert seen[2].boot_ns - seen[0].boot_ns == lasts_s * S


async def test_at_full_speed_others_get_their_turn(tmp_path):
    path = written(tmp_path, b"0220123456\n" * 1000)
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(other())
    assert len(await play(path, "scan")) == 1000
    working.cancel()
    assert turns >= 10


async def test_a_replay_stops_when_it_is_cancelled(tmp_path):
    path = written(tmp_path, tag_reports(0, 3_600_000_000))
    reached = asyncio.Event()

    def accept(observation):
        if isinstance(observation, TagRead):
            reached.set()

    playing = asyncio.create_task(Replay("d", path, "llrp", aircraft=Table()).run(accept))
    await reached.wait()
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing


async def test_positions_follow_the_receivers_clock_and_are_never_believed_about_time(tmp_path):
    def moment(second):
        place = ("4337.7580", "N", "00121.8280", "E")
        rmc = (f"1200{second:02d}", "A", *place, "0.0", "", "010126", "", "", "A")
        gga = (f"1200{second:02d}", *place, "1", "08", "1.0", "152.0", "M", "47.0", "M", "", "")
        return encode_sentence(Sentence("GP", "RMC", rmc)) + encode_sentence(
            Sentence("GP", "GGA", gga)
        )

    path = written(tmp_path, b"# a comment\n" + b"".join(moment(s) for s in (0, 1, 2, 30)))
    seen = await play(path, "nmea")
    assert [type(fix) for fix in seen] == [PositionFix] * 4
    assert [fix.boot_ns - seen[0].boot_ns for fix in seen] == [0, S, 2 * S, 30 * S]
    assert seen[0].latitude_deg == pytest.approx(43.6293)
    assert not any(fix.time_trusted for fix in seen)


async def test_a_real_log_gives_the_receivers_position():
    path = DATA / "devices" / "gps" / "quectel-L70.log"
    if not path.exists():
        pytest.skip(f"{path.name}: shared data is not here")
    seen = await play(path, "nmea")
    assert len(seen) == 16
    for fix in seen:
        assert fix.latitude_deg == pytest.approx(51.0681, abs=1e-4)
        assert fix.longitude_deg == pytest.approx(-114.0956, abs=1e-4)


async def test_the_beast_counter_is_followed_over_its_wrap(tmp_path):
    ticks = [(1 << 48) - 12_000_000, (1 << 48) - 6_000_000, 12_000_000, 24_000_000]
    frames = b"".join(
        encode_beast(bytes.fromhex(EVEN), ticks_12mhz=tick % (1 << 48)) for tick in ticks
    )
    table = Table()
    await play(written(tmp_path, frames), "beast", table=table)
    assert [round((t - table.frames[0]) / S, 3) for t in table.frames] == [0, 0.5, 2, 3]


async def test_a_receiver_started_anew_goes_on_where_it_was(tmp_path):
    frames = b"".join(
        encode_beast(bytes.fromhex(EVEN), ticks_12mhz=tick)
        for tick in (1 << 40, (1 << 40) + 12_000_000, 5, 12_000_005)
    )
    table = Table()
    await play(written(tmp_path, frames), "beast", table=table)
    assert [t - table.frames[0] for t in table.frames] == [0, S, S, 2 * S]


async def test_time_runs_on_for_two_minutes_and_no_gap_takes_for_ever(tmp_path):
    lines = f"1000.25,{EVEN}\nnot a frame\n1003.75,{ODD}\n900000000,{EVEN}\n"
    table = Table()
    await play(written(tmp_path, lines.encode()), "modes", table=table)
    begin = table.frames[0]
    assert [t - begin for t in table.frames[:2]] == [0, 3_500_000_000]
    assert [t - begin for t in table.ticks[:3]] == [S, 2 * S, 3 * S]
    assert len(table.ticks) < 5000
    assert table.ticks == sorted(table.ticks)
    assert 119 * S < table.ticks[-1] - table.frames[-1] <= 120 * S


async def test_json_lines_of_frames_are_read_too(tmp_path):
    lines = [{"timestamp": 10.0 + n, "frame": frame} for n, frame in enumerate((EVEN, ODD) * 3)]
    path = written(tmp_path, "\n".join(map(json.dumps, lines)).encode())
    assert any(isinstance(seen, AircraftState) for seen in await play(path, "modes"))


async def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        await play(tmp_path / "nowhere", "scan")
    with pytest.raises(ProtocolError, match="gzip"):
        await play(written(tmp_path, gzip.compress(b"0220123456\n" * 500)[:-12]), "scan")
    with pytest.raises(ProtocolError, match="length"):
        await play(written(tmp_path, b"no LLRP at all here"), "llrp")


async def test_the_captured_tag_reports_are_read_as_they_are(tmp_path):
    folder = DATA / "devices" / "llrp"
    if not folder.exists():
        pytest.skip("llrp: shared data is not here")
    truth, stream = [], b""
    for number, path in enumerate(sorted(folder.glob("ROAccessReport-*.bytes"))):
        stream += encode_message(MessageType.RO_ACCESS_REPORT, number, path.read_bytes())
        truth += json.loads(path.with_suffix(".json").read_text())["TagReportData"]
    seen = await play(written(tmp_path, stream), "llrp")
    assert len(seen) == len(truth) == 6
    for read, report in zip(seen, truth, strict=True):
        coded = report["EPC96"]["EPC"] if report["EPC96"] else report["EPCData"]["EPC"]
        assert read.epc == base64.b64decode(coded)
        assert read.reader_seen_at_us == report["FirstSeenUTC"]
        since_first_us = report["FirstSeenUTC"] - truth[0]["FirstSeenUTC"]
        assert read.boot_ns - seen[0].boot_ns == since_first_us * 1000


async def test_a_whole_real_flight_is_on_its_stand_at_the_true_time(tmp_path):
    recording = DATA / "adsb" / "msgs" / "traffic_full_flight_393322_2024-07-06.jsonl.gz"
    if not recording.exists():
        pytest.skip(f"{recording.name}: shared data is not here")
    truth = json.loads((DATA / "adsb" / "flight_393322_truth.json").read_text())
    stands = Stands.from_geojson((DATA / "adsb" / "flight_393322_stands.geojson").read_bytes())
    table = AircraftTable((43.629, 1.364), stands)
    start_us = round(truth["t0_unix_s"] * 1_000_000)
    seen = await play(recording, "modes", start_us=start_us, table=table)
    boot_of_start = clock.boot_ns() - clock.wall_ns() + start_us * 1000
    events = {
        seen_event.event: ((seen_event.boot_ns - boot_of_start) / S, seen_event)
        for seen_event in seen
        if isinstance(seen_event, AircraftGroundEvent) and seen_event.icao == "393322"
    }
    landed_s, landed = events["landed"]
    assert abs(landed_s - truth["landed_s"]["value"]) <= landed.sigma_s + 10
    stopped_s, stopped = events["on_stand"]
    assert stopped.stand == truth["stopped_s"]["stand"]
    assert abs(stopped_s - truth["stopped_s"]["value"]) <= stopped.sigma_s + 10


def test_recordings_close_their_file_when_left_early(tmp_path):
    steps = read_recording(written(tmp_path, b"1\n2\n"), "scan", "d", Table())
    next(steps)
    steps.close()
    assert list(steps) == []
