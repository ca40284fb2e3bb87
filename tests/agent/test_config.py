"""agent.toml: what it says is read whole, and every mistake is named with its place."""

import tomllib
from pathlib import Path

import pytest
from aerocast_agent.config import AdsbBeast, GpsSerial, Llrp, Replay, SerialScanner
from aerocast_agent.config_file import ConfigError, parse_config, read_config
from aerocast_agent.toml_lines import find_lines
from hypothesis import given, settings
from hypothesis import strategies as st

WHOLE = """\
[gateway]
site = "lfbo"                      # [a-z0-9-]{1,32}
name = "hall-1"
position = { latitude_deg = 43.6293, longitude_deg = 1.3638, altitude_m = 152.0 }

[hub]
broker = "mqtt://127.0.0.1:1884"
broker_v3 = "mqtt://127.0.0.1:1883"
http = "http://127.0.0.1:8000"

[spool]
path = "/var/lib/aerocast/spool.db"
budget_mb = 512

[[device]]
name = "portal-4"
kind = "llrp"
host = "192.0.2.40"
profile = "impinj-r700-etsi"

[aircraft]
stands = "stands.geojson"
on_stand_after_s = 60

[[device]]
name = "desk-scanner"
kind = "serial_scanner"
port = "/dev/serial/by-id/usb-scanner"
baud = 9600

[[device]]
name = "gps"
kind = "gps_serial"
port = "/dev/ttyACM0"

[[device]]
name = "sky"
kind = "adsb_beast"
host = "127.0.0.1"
port = 30005

[[device]]
name = "old-day"
kind = "replay"
file = "captures/portal-4.llrp"
format = "llrp"

[[belt]]
name = "belt-4"
point = "sortation"
antennas = ["portal-4:1", "portal-4:2"]
siblings = ["belt-5"]
speed_mps = 1.5
field_m = 1.2
photo_eye = "portal-4:gpi1"
margin_db = 3.0
"""
GATEWAY = '[gateway]\nsite = "lfbo"\nname = "hall-1"\n'


def parse(text):
    return parse_config(text, name="agent.toml", folder=Path("/etc/aerocast"))


def problems(text):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return list(caught.value.problems)


def test_a_whole_file_is_read():
    config = parse(WHOLE)
    assert [type(each) for each in config.devices] == [
        Llrp,
        SerialScanner,
        GpsSerial,
        AdsbBeast,
        Replay,
    ]
    assert config.devices[0].port == 5084
    assert config.devices[4].file == "/etc/aerocast/captures/portal-4.llrp"
    assert config.aircraft.stands == "/etc/aerocast/stands.geojson"
    assert config.aircraft.on_stand_after_s == 60.0
    assert config.belts[0].antennas == ("portal-4:1", "portal-4:2")
    assert config.gateway.position.altitude_m == 152.0


def test_every_kind_of_receiver_needs_little():
    position = "position = { latitude_deg = 43.6, longitude_deg = 1.4 }\n"
    receivers = "".join(
        f'[[device]]\nname = "{kind}"\nkind = "adsb_{kind}"\n{where}\n'
        for kind, where in (
            ("avr", 'host = "h"'),
            ("sbs", 'host = "h"'),
            ("json", 'file = "aircraft.json"'),
            ("rtl_tcp", 'host = "h"'),
            ("rtlsdr", "ppm = -3"),
        )
    )
    avr, sbs, json_file, dongle, plugged_in = parse(GATEWAY + position + receivers).devices
    assert (avr.port, sbs.port, dongle.port) == (30002, 30003, 1234)
    assert json_file.file == "/etc/aerocast/aircraft.json"
    assert (dongle.rate, dongle.gain_db, dongle.engine) == (None, None, "numpy")
    assert (plugged_in.serial, plugged_in.index, plugged_in.ppm) == (None, None, -3)
    assert len(problems(GATEWAY + receivers)) == 5


def test_a_dongle_is_named_by_serial_or_place_and_samples_at_a_known_rate():
    position = "position = { latitude_deg = 43.6, longitude_deg = 1.4 }\n"
    dongle = '[[device]]\nname = "sky"\nkind = "adsb_rtlsdr"\n'
    (both,) = problems(GATEWAY + position + dongle + 'serial = "1090"\nindex = 0\n')
    assert "serial names the dongle already" in both
    (rate,) = problems(GATEWAY + position + dongle + "rate = 1000000\n")
    assert "device[0].rate (sky): 1000000" in rate
    assert parse(GATEWAY + position + dongle + "index = 1\ngain_db = 'auto'\n").devices[0].index


def test_a_gateway_alone_is_enough():
    config = parse(GATEWAY)
    assert config.devices == ()
    assert config.spool.path == "/var/lib/aerocast/spool.db"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            GATEWAY + '[[device]]\nname = "a"\nkind = "llrp"\nhosst = "x"\n',
            "agent.toml:7: device[0].hosst (a): unknown key; nearest known: 'host'",
        ),
        (
            GATEWAY + '[spol]\npath = "x"\n',
            "agent.toml:4: spol: unknown key; nearest known: 'spool'",
        ),
        (
            GATEWAY + "position = { latitude_deg = 1, longitude = 2 }\n",
            "agent.toml:4: gateway.position.longitude: unknown key; nearest known: 'longitude_deg'",
        ),
        (
            GATEWAY + "position = { latitude_deg = 91, longitude_deg = 2 }\n",
            "agent.toml:4: gateway.position.latitude_deg: 91: expected `float` <= 90.0",
        ),
        (
            GATEWAY + '[[device]]\nname = "a"\nkind = "llrp"\nhost = "x"\nport = "5084"\n',
            "agent.toml:8: device[0].port (a): '5084': expected `int`, got `str`",
        ),
        (
            GATEWAY + '[[device]]\nname = "a"\nkind = "llrp"\n',
            "agent.toml:4: device[0] (a): key host is missing",
        ),
        (
            GATEWAY + '[[device]]\nname = "t"\nkind = "tcp_scanner_server"\nlisten = "::"\n'
            'port = 9004\nscanners = ["192.0.2.7", "gate-7"]\n',
            "agent.toml:9: device[0].scanners[1] (t): 'gate-7': expected an IP address",
        ),
        (
            GATEWAY + '[[device]]\nname = "a"\nkind = "lrlp"\n',
            "agent.toml:6: device[0].kind (a): kind 'lrlp' is unknown; nearest known: 'llrp'",
        ),
        (
            GATEWAY + '[[belt]]\nname = "b"\npoint = "reclaimed"\n',
            (
                "agent.toml:6: belt[0].point (b): 'reclaimed': expected one of acceptance,"
                " screening, sortation, makeup, loading, transfer, arrival, reclaim"
            ),
        ),
        (
            GATEWAY + '[[belt]]\nname = "b"\npoint = "reclaim"\nantennas = [\n "a:1",\n]\n',
            "agent.toml:8: belt[0].antennas[0] (b): 'a:1': no device 'a'",
        ),
        (
            GATEWAY
            + '[[device]]\nname = "g"\nkind = "gps_serial"\nport = "/dev/x"\n'
            + '[[belt]]\nname = "b"\npoint = "reclaim"\nantennas = ["g:1"]\n',
            "agent.toml:11: belt[0].antennas[0] (b): 'g:1': device 'g' is no RFID reader",
        ),
        (
            GATEWAY + '[[belt]]\nname = "b"\npoint = "reclaim"\n' * 2,
            "agent.toml:5: belt[0].name (b): two belts are called 'b'",
        ),
        (
            '[gateway]\nsite = "LFBO"\nname = "hall-1"\n',
            "agent.toml:2: gateway.site: 'LFBO': expected `str` matching regex '^[a-z0-9-]{1,32}$'",
        ),
        ("", "agent.toml: table [gateway] with site and name is missing"),
        (
            GATEWAY + '[hub]\nbroker = "http://x"\n',
            "agent.toml:5: hub.broker: 'http://x': expected mqtt://host:port or mqtts://host:port",
        ),
        (
            GATEWAY
            + '[[device]]\nname = "r"\nkind = "replay"\nfile = "f"\nformat = "scan"\n'
            + 'start = "noon"\n',
            (
                "agent.toml:9: device[0].start (r): 'noon': expected a date and time, "
                "ISO 8601 text or seconds since 1970"
            ),
        ),
        (
            GATEWAY + '[[device]]\nname = "s"\nkind = "adsb_beast"\nhost = "x"\n',
            "agent.toml:4: device[0] (s): aircraft need [gateway] position as their reference",
        ),
        (GATEWAY + "device = 3\n", "agent.toml:4: gateway.device: unknown key"),
        ("device = 3\n" + GATEWAY, "agent.toml:1: device: expected [[device]], a table for each"),
    ],
)
def test_a_mistake_is_named_with_file_line_key_and_expectation(text, problem):
    found = problems(text)
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_every_mistake_is_named_at_once():
    text = GATEWAY + '[hub]\nbrokr = "x"\n[spool]\nbudget_mb = "big"\n'
    assert [each.split(": ")[0] for each in problems(text)] == ["agent.toml:5", "agent.toml:7"]


def test_text_that_is_no_toml_names_the_line():
    assert problems("[gateway]\nsite = \n")[0].startswith("agent.toml:2: not TOML")


def test_a_file_that_is_not_there_is_one_clear_message(tmp_path):
    with pytest.raises(ConfigError, match=r"agent\.toml: No such file"):
        read_config(tmp_path / "agent.toml")


@pytest.mark.parametrize(
    "start", ["2024-07-06T12:00:00Z", '"2024-07-06T14:00:00+02:00"', "1720267200", "1720267200.0"]
)
def test_a_recordings_start_is_said_in_any_of_its_forms(start):
    text = GATEWAY + (
        f'[[device]]\nname = "r"\nkind = "replay"\nfile = "f"\nformat = "scan"\nstart = {start}\n'
    )
    assert parse(text).devices[0].start_us == 1_720_267_200_000_000


def test_lines_are_found_through_every_form_of_toml():
    text = (
        'a = """x\n[no]\n"""\n'  # 1-3
        '[table."quoted key"] # [[no]]\n'  # 4
        "b = [ # one\n  1,\n  { c = ']', d = [2,\n 3] },\n]\n"  # 5-9
        "[[many]]\n"  # 10
        "e.f = 1979-05-27T07:32:00Z\n"  # 11
        "[[many]]\n[many.sub]\ng = 'C:\\'\n"  # 12-14
    )
    lines = find_lines(text)
    assert lines[("a",)] == 1
    assert lines[("table", "quoted key")] == 4
    assert lines[("table", "quoted key", "b", 1, "d", 1)] == 8
    assert lines[("many", 0, "e", "f")] == 11
    assert lines[("many", 1, "sub", "g")] == 14


@settings(max_examples=200)
@given(st.text(alphabet="[]{}=.,#\"'\\\n abc1", max_size=60))
def test_lines_of_any_text_that_is_toml_cover_its_tables(text):
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    lines = find_lines(text)
    for key in tables:
        assert any(path[0] == key for path in lines) or "\\" in text


@settings(max_examples=200)
@given(st.lists(st.sampled_from(WHOLE.splitlines()), max_size=40))
def test_any_shuffle_of_lines_is_read_or_refused_with_a_message(lines):
    try:
        parse("\n".join(lines))
        said = ("agent.toml",)
    except ConfigError as error:
        said = error.problems
    assert said
    assert all(each.startswith("agent.toml") for each in said)
