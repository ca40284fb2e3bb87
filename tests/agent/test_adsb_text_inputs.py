"""Receivers that speak text: AVR and SBS over TCP, aircraft.json as a file."""

import asyncio
import json

import pytest
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.build import build
from aerocast_agent.cli.decode import run
from aerocast_agent.config_file import ConfigError, parse_config
from aerocast_agent.device_watch import CONNECTED, LOST
from aerocast_agent.drivers.adsb_avr import AvrReceiver
from aerocast_agent.drivers.adsb_json import AircraftJson
from aerocast_agent.drivers.adsb_sbs import SbsReceiver
from aerocast_agent.stands import Stands
from aerocast_agent.supervisor import Supervisor
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes import encode
from aerocast_protocols.modes.avr import NO_TIME, encode_avr
from aerocast_protocols.modes.beast import MLAT_TIMESTAMP, BeastFrame
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.observations.aircraft import AircraftState
from aerocast_protocols.observations.gateways import DeviceEvent

from tests.agent.saying import saying
from tests.waiting import until

NAME = encode.encode_identification(encode.Sender("4ca123", on_ground=False), "AFR12AB")
AVR = (
    b"*0000;\nnonsense;\n"
    + encode_avr(BeastFrame(77, 255, NAME))
    + encode_avr(BeastFrame(MLAT_TIMESTAMP, 0, NAME))
    + encode_avr(BeastFrame(NO_TIME, 0, NAME))
)
SBS = (
    b"\r\nMSG,1,1,1,4CA123,1,,,,,AFR12AB,,,,,,,,,,,\r\nnonsense\r\nSTA,,1,1,4CA123,1,,,,,RM\r\n"
    b"MSG,5,1,1,4CA123,1,,,,,,3000,,,,,,7700,,,,0\r\n"
)


def table():
    return AircraftTable(Position(43.6, 1.4), Stands())


def serving(stream, *, hold_open=False):
    return saying(*(stream[at : at + 7] for at in range(0, len(stream), 7)), hold_open=hold_open)


async def test_avr_text_is_heard_until_the_receiver_goes():
    seen = []
    async with serving(AVR) as port, asyncio.timeout(60):
        with pytest.raises(ConnectionResetError, match="sky"):
            await AvrReceiver("sky", "127.0.0.1", port, table()).run(seen.append)

    assert [type(each) for each in seen] == [DeviceEvent, AircraftState]
    assert (seen[1].callsign, seen[1].signal_dbfs, seen[1].device) == ("AFR12AB", 0.0, "sky")


async def test_sbs_lines_are_taken_as_said():
    seen, following = [], table()
    async with serving(SBS) as port, asyncio.timeout(60):
        with pytest.raises(ConnectionResetError, match="sky"):
            await SbsReceiver("sky", "127.0.0.1", port, following).run(seen.append)

    assert [type(each) for each in seen] == [DeviceEvent, AircraftState]
    assert len(following) == 1


@pytest.mark.parametrize("kind", [AvrReceiver, SbsReceiver])
async def test_a_receiver_silent_for_too_long_or_not_there_raises(kind):
    async with serving(b"", hold_open=True) as port, asyncio.timeout(60):
        with pytest.raises(TimeoutError, match="sky said nothing"):
            await kind("sky", "127.0.0.1", port, table(), silence_limit_s=0.2).run(lambda _: None)
    with pytest.raises(ConnectionRefusedError):
        await kind("sky", "127.0.0.1", port, table()).run(lambda _: None)


def write(file, now_s, **more):
    aircraft = {"hex": "4ca123", "flight": "AFR12AB", "alt_baro": 3000, "seen": 0.1, **more}
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"now": now_s, "aircraft": [aircraft]}))
    beside.replace(file)


async def test_the_file_is_read_again_each_time_it_is_replaced(tmp_path):
    file, seen = tmp_path / "aircraft.json", []
    write(file, 1000.0)
    driver = AircraftJson("sky", file, table(), poll_s=0.02)
    running = asyncio.create_task(driver.run(seen.append))
    try:
        await until(lambda: len(seen) == 2)
        await asyncio.sleep(1.0)  # a state a second each, no more
        write(file, 1001.0, squawk="7600")
        await until(lambda: len(seen) == 3)
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert (seen[1].callsign, seen[1].altitude_ft) == ("AFR12AB", 3000.0)
    assert (seen[2].squawk, seen[2].emergency) == ("7600", "no_communication")


async def test_a_file_that_stays_as_it_is_is_gone_or_is_none_raises(tmp_path):
    file = tmp_path / "aircraft.json"
    driver = AircraftJson("sky", file, table(), poll_s=0.02, silence_limit_s=0.2)
    async with asyncio.timeout(60):
        with pytest.raises(FileNotFoundError):
            await driver.run(lambda _: None)
        write(file, 1000.0)
        with pytest.raises(TimeoutError, match="has not changed"):
            await driver.run(lambda _: None)
        file.write_text('{"now": 1')
        with pytest.raises(ProtocolError, match=r"no aircraft\.json"):
            await driver.run(lambda _: None)


async def test_a_lost_receiver_stops_nothing_and_is_found_again(tmp_path):
    file, seen = tmp_path / "aircraft.json", []
    write(file, 1000.0)
    async with serving(AVR, hold_open=True) as port:
        supervisor = Supervisor(
            [
                AvrReceiver("gone", "127.0.0.1", 1, table()),
                AvrReceiver("sky", "127.0.0.1", port, table()),
                AircraftJson("file", file, table(), poll_s=0.02),
            ],
            seen.append,
        )
        running = asyncio.create_task(supervisor.run())
        try:
            await until(
                lambda: supervisor.states == {"gone": LOST, "sky": CONNECTED, "file": CONNECTED}
            )
            file.unlink()
            await until(lambda: supervisor.states["file"] == LOST)
            write(file, 1001.0)
            await until(lambda: supervisor.states["file"] == CONNECTED)
        finally:
            running.cancel()
            await asyncio.wait([running])
    events = [each for each in seen if isinstance(each, DeviceEvent) and each.device == "file"]
    assert [each.event for each in events] == ["connected", "lost", "connected"]


def test_each_kind_of_receiver_in_agent_toml_gets_its_driver(tmp_path):
    (tmp_path / "aircraft.csv").write_text("icao24,registration,type\n4ca123,EI-ABC,B738\n")
    position = "position = { latitude_deg = 43.6, longitude_deg = 1.4 }"
    text = f'[gateway]\nsite = "lfbo"\nname = "a"\n{position}\n[aircraft]\n'
    kinds = ("avr", 'host = "h"'), ("sbs", 'host = "h"'), ("json", 'file = "f"')
    text += 'database = "aircraft.csv"\n' + "".join(
        f'[[device]]\nname = "{kind}"\nkind = "adsb_{kind}"\n{where}\n' for kind, where in kinds
    )

    def built():
        return build(parse_config(text, name="agent.toml", folder=tmp_path), lambda _: None)

    assert [type(each) for each in built().drivers] == [AvrReceiver, SbsReceiver, AircraftJson]
    (tmp_path / "aircraft.csv").write_text("nonsense")
    with pytest.raises(ConfigError, match=r"aircraft\.database"):
        built()


def decode(capsys, tmp_path, kind, content):
    capture = tmp_path / "capture"
    capture.write_bytes(content)
    status = run([kind, str(capture), "--json"])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_decode_avr_gives_a_line_a_frame_and_refuses_in_place(capsys, tmp_path):
    status, lines = decode(capsys, tmp_path, "avr", AVR[:-2])

    heard = {"frame": NAME.hex(), "ts_12mhz": None, "signal_dbfs": None, "mlat": False}
    assert status == 1
    assert lines == [
        {"error": "no AVR frame in 'nonsense'", "input": "nonsense"},
        {**heard, "ts_12mhz": 77, "signal_dbfs": 0.0},
        {**heard, "mlat": True},
        heard,
    ]


def test_decode_sbs_gives_the_named_fields_a_line(capsys, tmp_path):
    status, lines = decode(capsys, tmp_path, "sbs", SBS)

    assert status == 1
    assert [line.get("message_type") for line in lines] == ["MSG", None, "STA", "MSG"]
    assert (lines[0]["icao"], lines[0]["callsign"], lines[0]["altitude_ft"]) == (
        "4ca123",
        "AFR12AB",
        None,
    )
    assert (lines[3]["squawk"], lines[3]["on_ground"]) == ("7700", False)
    assert lines[1]["input"] == "nonsense"
    assert len(lines[0]) == 23
