"""The simulated airport's weather reports, read as anybody's are."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest
from aerocast_protocols.weather.metar import decode_metar
from aerocast_protocols.weather.report_files import read_awc_cache, read_noaa_text
from aerocast_simulator.metars import (
    Conditions,
    recent_reports,
    report_of,
    write_cache,
    write_text,
)

NOON = datetime(2026, 11, 22, 12, 17, tzinfo=UTC)


def us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


@pytest.mark.parametrize("station", ["LFBO", "LFPG", "KJFK", "ENVA", "SBGR"])
def test_typical_weather_is_plausible_at_every_hour_and_wholly_readable(station):
    for hour in range(48):
        at = NOON + timedelta(hours=hour)
        report = decode_metar(report_of(station, at).raw, us(at))
        assert (report.station, report.unparsed, report.flags) == (station, (), ())
        assert us(at) - report.observed_at_us < 1800 * 1_000_000
        assert 0 < report.wind_speed_kt < 30
        assert 1 <= report.wind_direction_deg <= 360
        assert report.dew_point_c < report.temperature_c
        assert 1000 <= report.altimeter_hpa <= 1030
        assert report.flight_category == "VFR"


def test_conditions_are_reported_as_they_are():
    seen = Conditions(40, 22, 38, 800, "+TSRA", "BKN004CB", -3, -12, 987)
    report = decode_metar(report_of("LFBO", NOON, seen).raw, us(NOON))
    assert (report.wind_direction_deg, report.wind_speed_kt, report.wind_gust_kt) == (40, 22, 38)
    assert (report.visibility_m, report.weather, report.ceiling_ft) == (800, ("+TSRA",), 400)
    assert (report.temperature_c, report.dew_point_c, report.altimeter_hpa) == (-3, -12, 987)
    assert report.flight_category == "LIFR"


def test_cache_and_text_files_give_the_reports_that_were_written(tmp_path):
    reports = [*recent_reports("LFBO", NOON), report_of("LFPG", NOON)]
    cache, text = tmp_path / "metars.csv.gz", tmp_path / "metars.txt"
    write_cache(cache, reports)
    write_text(text, reports)
    expected = [(r.raw.removeprefix("METAR "), us(r.observed_at)) for r in reports]
    unpacked = gzip.decompress(cache.read_bytes()).decode()
    assert [tuple(read) for read in read_awc_cache(unpacked)] == expected
    assert unpacked.splitlines()[5].startswith("raw_text,station_id,observation_time,")
    assert [tuple(read) for read in read_noaa_text(text.read_text())] == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metars.csv.gz", "metars.txt"]
