"""``aerocast-agent decode`` for scanners, GPS receivers and weather reports."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

AGENT = Path(sys.executable).with_name("aerocast-agent")
DATA = Path(__file__).parents[2].parent / "shared" / "data"


def decode(kind: str, given: bytes, *options: str):
    """Run the command as a technician does; give its lines and exit status."""
    done = subprocess.run(
        [AGENT, "decode", kind, "-", "--json", *options],
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def test_scans_are_named_line_by_line():
    lines, status = decode(
        "scan",
        b"]I00220123456\n\x020220123456\x03\r\n]C0ABC\nNoRead\n]L0M1SMITH/JOHN  EABC123\n"
        b"IATALPXYZ\ncaf\xc3\xa9\n",
    )
    assert status == 0
    assert lines == [
        {"symbology": "itf", "content": "plate", "licence_plate": "0220123456"},
        {"symbology": None, "content": "plate", "licence_plate": "0220123456"},
        {"symbology": "code128", "content": "other", "text": "ABC"},
        {"symbology": None, "content": "no_read"},
        {
            "symbology": "pdf417",
            "content": "boarding_pass",
            "legs": [],
            "problem": "a boarding pass ends before its passenger_name",
            "bag_tags": [],
        },
        {
            "symbology": None,
            "content": "bag_qr",
            "licence_plate": None,
            "uuid": None,
            "legs": [],
            "problem": "text is no Base45: a group is too large",
        },
        {"symbology": None, "content": "other", "text": "café"},
    ]


def test_a_refused_scan_keeps_its_place():
    lines, status = decode("scan", b"0220123456\n\n" + b"7" * 9000 + b"\n0220123457\n")
    assert status == 1
    assert [line.get("licence_plate") for line in lines] == ["0220123456", None, None, "0220123457"]
    assert ["error" in line for line in lines] == [False, True, True, False]


def snake(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def test_boarding_passes_give_every_item_under_its_name_and_damage_keeps_the_mandatory_part():
    vectors = DATA / "devices" / "bcbp" / "bcbp.jsonl"
    if not vectors.exists():
        pytest.skip(f"{vectors.name}: shared data is not here")
    cases = [json.loads(line) for line in vectors.read_text().splitlines()]
    given = "".join(each["in"] + "\n" for each in cases)
    lines, status = decode("bcbp", given.encode(), "--year", "2026")
    assert status == 0
    for case, line in zip(cases, lines, strict=True):
        expected = case["out"]["data"] | case["out"]["meta"]
        legs = expected.pop("legs")
        assert {key: each for key, each in line.items() if each is not None and key != "legs"} == {
            snake(key): each for key, each in expected.items()
        }
        assert [
            {key: each for key, each in leg.items() if each is not None} for leg in line["legs"]
        ] == [{snake(key): each for key, each in leg.items()} for leg in legs]
    (line,), status = decode("bcbp", cases[0]["in"].encode() + b"9\n", "--year", "2026")
    assert status == 1
    assert line["input"] == cases[0]["in"] + "9"
    assert line["mandatory"]["legs"][0]["flight_number"] == "0834"


def test_2d_bag_tags_are_read_line_by_line():
    lines, status = decode(
        "bag-qr",
        b"]Q1IATALPE97K24XR6E3D$14U:6PO8*YMVKK+%9.8VNHCK:030G391**2E8C900.8CVQI1B8AW6\nIATALP\n",
    )
    assert status == 1
    assert lines[0] == {
        "version": 1,
        "licence_plate": "0220123456",
        "uuid": "676a1ff6-3750-4399-b427-a1d74e07f6c9",
        "legs": [None, None],
    }
    assert lines[1]["input"] == "IATALP"


def test_the_text_for_no_read_can_be_set():
    lines, _ = decode("scan", b"?????\nNoRead\n", "--no-read", "?????")
    assert [line["content"] for line in lines] == ["no_read", "other"]


def test_a_gps_log_becomes_fixes_and_damage_is_told():
    rmc = b"$GPRMC,030719.000,A,3747.0873,S,17518.8938,E,0.69,181.39,311214,,,A*7D\r\n"
    gga = b"$GPGGA,030719.000,3747.0873,S,17518.8938,E,1,08,1.1,59.9,M,23.7,M,,0000*7D\r\n"
    lines, status = decode("nmea", b"# Name: x\n" + gga + rmc + rmc.replace(b"*7D", b"*7E"))
    assert status == 1
    assert lines[0] == {
        "time": "2014-12-31T03:07:19.000Z",
        "latitude_deg": pytest.approx(-37.784788333),
        "longitude_deg": pytest.approx(175.314896667),
        "altitude_m": 59.9,
        "speed_mps": pytest.approx(0.355, abs=1e-3),
        "track_deg": 181.39,
        "mode": 3,
        "satellites": 8,
        "time_trusted": False,
        "time_doubt": "too early",
    }
    assert "checksum" in lines[1]["error"]
    assert lines[1]["input"].startswith("$GPRMC")


def test_positions_of_a_ublox_and_of_gpsd_are_read_and_doubted():
    pvt = bytes.fromhex(
        "b56201075c0020907714e4070a140e0431072600000032d2feff0301000a2826aafeacf0db1f7e4b01001a8e"
        "00004f4100006a4f000044000000e6ffffff8300000049000000d851f600730400006fa72d00c20000000000"
        "00000000000000000000fc59"
    )
    (fix, refused), status = decode("ubx", b"noise" + pvt + pvt[:-1] + b"\0" * 99)
    assert status == 1
    assert (fix["time"], fix["latitude_deg"]) == ("2020-10-20T14:04:48.999Z", 53.4507692)
    assert (fix["time_trusted"], fix["time_doubt"]) == (False, "too early")
    assert refused["error"] == "UBX checksum is wrong"
    (fix, refused), status = decode(
        "gpsd",
        b'{"class":"SKY","uSat":8}\n$GPRMC\n'
        b'{"class":"TPV","mode":3,"time":"2034-08-16T03:07:33.000Z","lat":-37.78,"lon":175.31,'
        b'"altMSL":60.2}\n{"class":"TPV","lat":99}\n',
    )
    assert status == 1
    assert (fix["time"], fix["satellites"]) == ("2034-08-16T03:07:33.000Z", 8)
    assert (fix["time_trusted"], fix["time_doubt"]) == (False, "too late")
    assert "lat" in refused["error"]


def test_real_gps_logs_are_read_without_a_refusal():
    log = DATA / "devices" / "gps" / "bu353s4.log"
    if not log.exists():
        pytest.skip(f"{log.name}: shared data is not here")
    lines, status = decode("nmea", log.read_bytes())
    assert (len(lines), status) == (25, 0)


def test_metars_have_every_field_and_refusals_keep_their_place():
    lines, status = decode(
        "metar",
        b"METAR KLAX 281253Z 24005KT 1/8SM R25L/2600VP6000FT FG VV002 17/16 A2999 RMK T01720161\n"
        b"nobody can parse this\nLFBO 010000Z AUTO /////KT //// // ////// ///// Q////=\n",
        "--now",
        "2026-03-01T00:30:00Z",
    )
    assert status == 1
    report, refused, silent = lines
    assert report == {
        "station": "KLAX",
        "observed_at": "2026-02-28T12:53:00Z",
        "wind_direction_deg": 240,
        "wind_speed_kt": 5.0,
        "wind_gust_kt": None,
        "wind_variable_deg": None,
        "visibility_m": 201.2,
        "visibility_qualifier": None,
        "weather": ["FG"],
        "clouds": [{"cover": "VV", "base_ft": 200, "type": None}],
        "ceiling_ft": 200,
        "temperature_c": 17.2,
        "dew_point_c": 16.1,
        "altimeter_hpa": 1015.6,
        "flight_category": "LIFR",
        "corrected": False,
        "auto": False,
        "rvr": [
            {
                "runway": "25L",
                "range_m": 792.5,
                "range_max_m": 1828.8,
                "qualifier": "P",
                "trend": None,
            }
        ],
        "trend": [],
        "unparsed": [],
        "flags": ["STALE"],
        "raw": "METAR KLAX 281253Z 24005KT 1/8SM R25L/2600VP6000FT FG VV002 17/16 A2999"
        " RMK T01720161",
    }
    assert set(refused) == {"error", "input"}
    for field in ("wind_speed_kt", "visibility_m", "temperature_c", "altimeter_hpa"):
        assert silent[field] is None
    assert silent["flight_category"] is None
    assert (silent["observed_at"], silent["unparsed"]) == ("2026-03-01T00:00:00Z", [])


def test_a_time_nobody_can_read_is_wrong_usage():
    _, status = decode("metar", b"", "--now", "yesterday")
    assert status == 2


def test_tafs_are_resolved_at_the_instants_asked_for_and_refusals_keep_their_place(tmp_path):
    file = tmp_path / "tafs.txt"
    file.write_text(
        "TAF LFBO 221100Z 2212/2318 29010KT 9999 SCT020 TEMPO 2214/2218 4000 SHRA BKN012=\n"
        "nobody can forecast this\n"
    )
    asked = ["2026-11-22T15:00:00Z", "2026-11-25T00:00:00Z"]
    for times in (["--at", *asked], ["--at", asked[0], "--at", asked[1]]):
        done = subprocess.run(
            [AGENT, "decode", "taf", "--now", "2026-11-22T11:05:00Z", *times, file, "--json"],
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1
        forecast, refused = [json.loads(line) for line in done.stdout.splitlines()]
        assert set(refused) == {"error", "input"}
        assert (forecast["station"], forecast["issued_at"]) == ("LFBO", "2026-11-22T11:00:00Z")
        assert (forecast["valid_from"], forecast["valid_to"]) == (
            "2026-11-22T12:00:00Z",
            "2026-11-23T18:00:00Z",
        )
        assert [group["kind"] for group in forecast["groups"]] == ["BASE", "TEMPO"]
        during, after = (forecast["at"][time] for time in asked)
        assert after is None
        assert (during["wind_direction_deg"], during["visibility_m"]) == (290, 10_000)
        assert (during["ceiling_ft"], during["wind_shear"]) == (None, None)
        (showers,) = during["alternatives"]
        assert (showers["kind"], showers["probability"]) == ("TEMPO", None)
        assert (showers["visibility_m"], showers["weather"]) == (4000, ["SHRA"])
        assert during["worst_credible"]["flight_category"] == "IFR"
    _, status = decode("taf", b"", "--at", "tomorrow")
    assert status == 2
