"""Recordings of radio samples: at the command line, and as a gateway's device."""

import asyncio
import json
import logging

import pytest
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.build import build
from aerocast_agent.cli.decode import run
from aerocast_agent.config_file import ConfigError, read_config
from aerocast_agent.drivers.replay import Replay
from aerocast_agent.recordings import Radio
from aerocast_agent.stands import Stands
from aerocast_protocols.observations.aircraft import AircraftState
from aerocast_protocols.observations.gateways import DeviceEvent

from tests.protocols.radio import Air

# DF17 frames of aircraft 40621D, from "The 1090 MHz riddle" (J. Sun): over the Netherlands.
EVEN, ODD = "8d40621d58c382d690c8ac2863a7", "8d40621d58c386435cc412692ad6"


def written(folder, rate=2_400_000, length_s=0.3):
    air = Air(length_s, rate)
    for number in range(12):
        air.send(
            bytes.fromhex(ODD if number % 2 else EVEN), 0.01000025 + number * 0.021, snr_db=25.0
        )
    path = folder / "air.cu8"
    path.write_bytes(air.cu8(100.0))
    return path


def decode(capsys, path, *options):
    status = run(["iq", str(path), "--json", *options])
    put_out = capsys.readouterr()
    return status, [json.loads(line) for line in put_out.out.splitlines()], put_out.err


@pytest.mark.parametrize("rate", [2_000_000, 2_400_000])
def test_samples_become_a_line_a_message_and_their_rate_is_found(capsys, tmp_path, rate):
    status, lines, said = decode(capsys, written(tmp_path, rate), "--format", "cu8")

    assert status == 0
    assert {line["frame"] for line in lines} == {EVEN, ODD}
    assert len(lines) >= 10
    assert set(lines[0]) == {"frame", "time_us", "signal_dbfs", "repaired_bits", "score"}
    assert lines[0]["time_us"] == pytest.approx(10_000.25, abs=0.3)
    assert f"{rate} samples a second" in said
    assert f"accepted {len(lines)} " in said
    for word in ("candidates", "rejected", "real-time factor"):
        assert word in said
    assert "heard" not in said


@pytest.mark.parametrize(("true", "given"), [(2_400_000, 2_000_000), (2_000_000, 2_400_000)])
def test_a_wrong_rate_is_said_aloud_with_the_right_one(capsys, tmp_path, true, given):
    status, lines, said = decode(capsys, written(tmp_path, true), "--rate", str(given))

    assert (status, lines) == (0, [])
    assert f"nothing is heard at {given}" in said
    assert f"at {true}: the rate is set wrong" in said


def test_a_recording_without_messages_or_samples_is_said_aloud(capsys, tmp_path):
    path = tmp_path / "air.cu8"
    path.write_bytes(Air(0.1, 2_400_000).cu8())

    assert "nothing is heard" in decode(capsys, path)[2]
    path.write_bytes(b"\x7f")
    status, lines, said = decode(capsys, path)
    assert (status, lines) == (0, [])
    assert "no samples" in said


def test_engine_and_fineness_can_be_chosen(capsys, tmp_path):
    _, lines, _ = decode(
        capsys, written(tmp_path), "--engine", "numba", "--upsample", "2", "--rate", "2400000"
    )

    assert len(lines) == 12


CONFIG = """
[gateway]
site = "test"
name = "sky-1"
position = {{ latitude_deg = 52.0, longitude_deg = 4.0 }}

[[device]]
name = "sky"
kind = "adsb_file"
file = "air.cu8"
{rest}
"""


async def test_a_gateway_plays_samples_as_if_it_heard_them_now(tmp_path):
    written(tmp_path)
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG.format(rest='format = "cu8"\nrate = 2400000\nspeed = 0'))
    seen = []

    (driver,) = build(read_config(config), seen.append).drivers
    async with asyncio.timeout(60):
        await driver.run(seen.append)

    assert isinstance(seen[0], DeviceEvent)
    states = [each for each in seen if isinstance(each, AircraftState)]
    assert {each.icao for each in states} == {"40621d"}
    assert states[-1].signal_dbfs == pytest.approx(-15.0, abs=2.5)


async def test_a_gateway_says_when_the_rate_of_a_file_is_wrong(tmp_path, caplog):
    replay = Replay(
        "sky",
        written(tmp_path),
        "cu8",
        0.0,
        aircraft=AircraftTable((52.0, 4.0), Stands([])),
        radio=Radio(2_000_000),
    )

    with caplog.at_level(logging.WARNING):
        async with asyncio.timeout(60):
            await replay.run(lambda _: None)

    assert "the rate is set wrong" in caplog.text


async def test_a_gateway_that_stops_while_samples_are_worked_on_ends_cleanly(tmp_path):
    path = written(tmp_path, length_s=3.0)
    replay = Replay(
        "sky", path, "cu8", 1.0, aircraft=AircraftTable((52.0, 4.0), Stands([])), radio=Radio()
    )

    playing = asyncio.create_task(replay.run(lambda _: None))
    await asyncio.sleep(0.05)
    playing.cancel()

    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(60):
            await playing


@pytest.mark.parametrize("rest", ['format = "cs8"', 'format = "cu8"\nrate = 2500000'])
def test_formats_and_rates_that_do_not_exist_are_refused(tmp_path, rest):
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG.format(rest=rest))

    with pytest.raises(ConfigError, match="device"):
        read_config(config)
