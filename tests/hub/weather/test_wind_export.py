import json
import subprocess
import sys
import time

import pytest
from aerocast_hub.cli import main
from aerocast_hub.commands.session import with_database
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.weather.bufr import MOST_IN_A_MESSAGE
from aerocast_hub.weather.heading_bias import HeadingBias
from aerocast_hub.weather.wind_export import amdar, to_bufr, to_csv
from aerocast_hub.weather.winds import absorb
from aerocast_protocols.observations.aircraft import AircraftWeather
from msgspec.structs import asdict, replace

from tests.hub.weather.winds_made import NOW, flown, wind


def rows(count=3):
    met = [
        replace(flown(f"39{number:04x}", 90.0, at_us=NOW + number * 1_000_000), temperature_c=5.0)
        for number in range(count)
    ]
    return amdar([*met, *met], {"390000": HeadingBias(bias_deg=0.4, sigma_deg=0.1, cells=9)})


def test_rows_carry_corrected_winds_in_the_units_of_meteorologists():
    first, second, _ = rows()
    assert (first.observed_at, first.icao) == ("2024-07-06T00:00:00.000Z", "390000")
    assert (first.flight_level, first.temperature_k, first.source) == (35.0, 278.1, "derived")
    assert (first.heading_corrected_deg, second.heading_corrected_deg) == (-0.4, None)
    assert second.wind_speed_mps == pytest.approx(10.6, abs=0.05)
    assert second.wind_direction_deg == pytest.approx(284.0, abs=0.1)
    assert first.wind_direction_deg != second.wind_direction_deg


def test_a_wind_that_fits_nobody_is_marked_not_dropped():
    wild = wind("ffffff", direction=90, speed=90)
    good = [wind(f"39332{each}") for each in range(3)]
    assert [each.quality for each in amdar([*good, wild], {})] == [0, 0, 0, 1]


def test_csv_has_a_line_of_names_and_leaves_the_unknown_empty():
    lines = to_csv(amdar([wind()], {})).splitlines()
    assert lines[0].startswith("observed_at,icao,latitude_deg")
    assert lines[1].endswith(",270.0,,,derived,,0")
    assert to_csv([]).count("\n") == 1


READ = """
import json, sys, eccodes
handle = eccodes.codes_new_from_message(sys.stdin.buffer.read())
eccodes.codes_set(handle, "unpack", 1)
names = ("latitude", "longitude", "flightLevel", "windDirection", "windSpeed", "second",
         "airTemperature")
found = {name: [float(x) for x in eccodes.codes_get_array(handle, f"#1#{name}")] for name in names}
name = "#1#aircraftRegistrationNumberOrOtherIdentification"
json.dump([eccodes.codes_get(handle, "numberOfSubsets"), found,
           list(eccodes.codes_get_string_array(handle, name))], sys.stdout)
"""


def decoded(message):
    """Read a message back, in a process of its own: ecCodes brings an SQLite that is not ours."""
    done = subprocess.run(
        [sys.executable, "-c", READ], input=message, capture_output=True, check=True
    )
    return json.loads(done.stdout)


def test_eccodes_never_gets_into_the_hub():
    to_bufr(rows())
    assert "eccodes" not in sys.modules


def test_bufr_is_read_back_by_eccodes():
    made = rows()
    count, found, names = decoded(to_bufr(made))
    assert count == 3
    assert [each.strip() for each in names] == ["390000", "390001", "390002"]
    for number, row in enumerate(made):

        def told(name, number=number):
            return found[name][number if len(found[name]) > 1 else 0]

        assert told("latitude") == pytest.approx(row.latitude_deg, abs=1e-4)
        assert told("flightLevel") == pytest.approx(3500 * 0.3048, abs=10)
        assert told("windSpeed") == pytest.approx(row.wind_speed_mps, abs=0.06)
        assert told("windDirection") == pytest.approx(row.wind_direction_deg, abs=0.6)
        assert told("second") == number
        assert told("airTemperature") == pytest.approx(278.1, abs=0.06)


def test_many_winds_make_several_messages_and_none_makes_nothing():
    assert to_bufr([]) == b""
    many = rows(3) * (MOST_IN_A_MESSAGE // 3 + 1)
    assert to_bufr(many).count(b"7777") == 2
    unknown = replace(many[0], temperature_k=None, roll_deg=None)
    assert decoded(to_bufr([unknown]))[0] == 1


def test_a_command_exports_what_a_site_heard(tmp_path, monkeypatch, capfdbinary):
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path))
    now_us = time.time_ns() // 1000

    async def take_in(database):
        async with database.writing() as session:
            met = [flown(f"39000{number}", 90.0, at_us=now_us) for number in range(3)]
            told = [{k: v for k, v in asdict(each).items() if k != "seen_at_us"} for each in met]
            await absorb(
                session,
                [
                    Sighting(
                        site="lfbo", gateway="apron", epoch=1, lane=1, sequence=number,
                        seen_at_us=now_us, clock_quality=3,
                        observation=AircraftWeather(device="sky", boot_ns=1, **each),
                    )
                    for number, each in enumerate(told, 1)
                ],
            )  # fmt: skip

    with_database(take_in)
    assert main(["export", "winds", "LFBO"]) == 0
    assert capfdbinary.readouterr().out.count(b"\n") == 4
    assert main(["export", "winds", "lfbo", "--json", "--hours", "1"]) == 0
    lines = capfdbinary.readouterr().out.splitlines()
    assert [json.loads(each)["icao"] for each in lines] == ["390000", "390001", "390002"]
    file = tmp_path / "winds.bufr"
    assert main(["export", "winds", "lfbo", "--format", "bufr", "--to", str(file)]) == 0
    assert decoded(file.read_bytes())[0] == 3
    assert main(["export", "winds", "lfbo", "--to", str(tmp_path)]) == 2
    assert b"cannot be written" in capfdbinary.readouterr().err
    with pytest.raises(SystemExit):
        main(["export", "winds", "lfbo", "--hours", "1000"])
