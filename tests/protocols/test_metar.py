"""METARs in every dialect: what they say, and nothing they do not say."""

import contextlib
import gzip
import json
import string
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.day_time import resolve_day_time
from aerocast_protocols.weather.metar import LONGEST_REPORT, decode_metar
from aerocast_protocols.weather.metar_report import (
    METRES_PER_MILE,
    Cloud,
    flight_category,
)
from aerocast_protocols.weather.report_files import RawReport, read_awc_cache, read_noaa_text
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.metar_truths import hold

WEATHER = Path(__file__).parents[2].parent / "shared" / "data" / "weather"
REPORT = "LFBO 221900Z AUTO 31012G23KT 280V340 9999 -SHRA FEW015 BKN027CB 14/09 Q1008 TEMPO 3000"


def shared(name: str) -> Path:
    path = WEATHER / name
    if not path.exists():
        pytest.skip(f"{name}: shared data is not here")
    return path


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000


def test_a_report_is_read_whole():
    report = decode_metar(f"METAR {REPORT}=", now_us=us(2026, 11, 22, 19, 20))
    assert report.station == "LFBO"
    assert report.observed_at_us == us(2026, 11, 22, 19, 0)
    assert (report.wind_direction_deg, report.wind_speed_kt, report.wind_gust_kt) == (310, 12, 23)
    assert report.wind_variable_deg == (280, 340)
    assert (report.visibility_m, report.visibility_qualifier) == (10_000, None)
    assert report.weather == ("-SHRA",)
    assert report.clouds == (
        Cloud(cover="FEW", base_ft=1500),
        Cloud(cover="BKN", base_ft=2700, type="CB"),
    )
    assert report.ceiling_ft == 2700
    assert (report.temperature_c, report.dew_point_c, report.altimeter_hpa) == (14, 9, 1008)
    assert (report.flight_category, report.auto, report.corrected) == ("MVFR", True, False)
    assert report.trend == ("TEMPO 3000",)
    assert (report.unparsed, report.flags) == ((), ())
    assert report.raw == f"METAR {REPORT}="


def met(truth, value):
    """Say whether a value is one of those a hand-made label accepts."""
    if isinstance(truth, float):
        return value is not None and abs(value - truth) < 0.1
    return value == truth


def test_tricky_reports_are_read_right_and_nothing_is_invented():
    wrong = []
    for case in json.loads(shared("metar_tricky.json").read_text()):
        report = decode_metar(case["raw"])
        read = {
            "vis_m": report.visibility_m,
            "vis_q": report.visibility_qualifier,
            "wdir": report.wind_direction_deg,
            "wspd_kt": report.wind_speed_kt,
            "wgst_kt": report.wind_gust_kt,
            "wvar": list(report.wind_variable_deg or ()),
            "cat": report.flight_category,
            "cor": report.corrected,
            "ceiling_ft": report.ceiling_ft,
            "temp_c": report.temperature_c,
            "dewp_c": report.dew_point_c,
            "alt_hpa": report.altimeter_hpa,
            "rvr": [[r.runway, r.range_m, r.range_max_m] for r in report.rvr],
            "rvr_m": [[r.runway, r.range_m, r.range_max_m, r.qualifier] for r in report.rvr],
            "nil": "NIL" in report.flags,
        }
        for key, truth in case["truth"].items():
            if key == "flag":
                right = truth in report.flags
            elif isinstance(truth, list) and key not in {"rvr", "rvr_m", "wvar"}:
                right = any(met(accepted, read[key]) for accepted in truth)
            else:
                right = met(truth, read[key])
            if not right:
                wrong.append((case["raw"], key, truth, read.get(key)))
    assert wrong == []


@pytest.mark.parametrize(
    ("day", "hour", "minute", "now", "resolved"),
    [
        (22, 19, 0, (2026, 11, 22, 19, 20), (2026, 11, 22, 19, 0)),
        (22, 20, 20, (2026, 11, 22, 19, 20), (2026, 11, 22, 20, 20)),
        (22, 20, 21, (2026, 11, 22, 19, 20), (2026, 10, 22, 20, 21)),
        (1, 12, 50, (2026, 11, 22, 19, 20), (2026, 11, 1, 12, 50)),
        (31, 23, 50, (2026, 11, 1, 0, 10), (2026, 10, 31, 23, 50)),
        (1, 0, 0, (2026, 10, 31, 23, 40), (2026, 11, 1, 0, 0)),
        (31, 23, 50, (2027, 1, 1, 0, 5), (2026, 12, 31, 23, 50)),
        (1, 0, 0, (2026, 12, 31, 23, 30), (2027, 1, 1, 0, 0)),
        (29, 23, 0, (2028, 3, 1, 1, 0), (2028, 2, 29, 23, 0)),
        (30, 12, 0, (2026, 3, 1, 0, 0), (2026, 1, 30, 12, 0)),
    ],
)
def test_day_and_time_are_the_latest_not_in_the_future(day, hour, minute, now, resolved):
    assert resolve_day_time(day, hour, minute, us(*now)) == us(*resolved)


def test_an_old_report_is_flagged_and_an_unreadable_time_is_unknown():
    now_us = us(2026, 11, 22, 19, 20)
    assert decode_metar("LFBO 221800Z 31012KT", now_us).flags == ("STALE",)
    report = decode_metar("LFBO 322500Z 31012KT", now_us)
    assert (report.observed_at_us, report.unparsed) == (None, ("322500Z",))


@pytest.mark.parametrize(
    ("visibility_m", "ceiling_ft", "category"),
    [
        (None, None, None),
        (None, 200, None),
        (10_000, None, "VFR"),
        (10_000, 3001, "VFR"),
        (10_000, 3000, "MVFR"),
        (5 * METRES_PER_MILE, None, "MVFR"),
        (3 * METRES_PER_MILE, None, "MVFR"),
        (10_000, 999, "IFR"),
        (4800, None, "IFR"),
        (METRES_PER_MILE, None, "IFR"),
        (1500, None, "LIFR"),
        (10_000, 499, "LIFR"),
    ],
)
def test_flight_category_takes_the_worse(visibility_m, ceiling_ft, category):
    assert flight_category(visibility_m, ceiling_ft) == category


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("XXXX 010000Z 360150KT", {"wind_speed_kt": 150, "flags": ()}),
        ("XXXX 010000Z 37005KT", {"wind_direction_deg": None, "flags": ("OUT_OF_RANGE",)}),
        ("XXXX 010000Z 00000KT 9999 12/18", {"dew_point_c": None, "flags": ("OUT_OF_RANGE",)}),
        ("XXXX 010000Z 00000KT 9999 12/08 Q0700", {"altimeter_hpa": None}),
        ("XXXX 010000Z M03/M05", {"temperature_c": -3, "dew_point_c": -5}),
        ("XXXX 010000Z CAVOK", {"visibility_m": 10_000, "flight_category": "VFR"}),
        ("XXXX 010000Z M0400", {"visibility_m": 400, "visibility_qualifier": "M"}),
        ("XXXX 010000Z P6SM", {"visibility_m": 9656.1, "visibility_qualifier": "P"}),
        ("XXXX 010000Z 9999 0800", {"visibility_m": 10_000, "minimum_visibility_m": 800}),
        ("XXXX 010000Z ////SM", {"visibility_m": None, "flight_category": None}),
        ("XXXX 010000Z 15KM", {"visibility_m": 15_000}),
        ("XXXX 010000Z COR 9999", {"corrected": True, "flags": ("CORRECTED",)}),
        ("XXXX 010000Z 9999 Q1013 WS R24 NOSIG", {"unparsed": (), "trend": ("NOSIG",)}),
        ("XXXX 010000Z BKN010 TEMPO OVC001", {"ceiling_ft": 1000, "trend": ("TEMPO OVC001",)}),
        (
            "XXXX 010000Z 9999 BECMG FM1200 2000 TEMPO 1 1/2SM RMK NONE",
            {"trend": ("BECMG FM1200 2000", "TEMPO 1 1/2SM"), "visibility_m": 10_000},
        ),
        ("XXXX 010000Z 10SM WHAT 1 3/4 EVER", {"unparsed": ("WHAT", "1", "3/4", "EVER")}),
        ("XXXX 010000Z 05/03 RMK T00460034", {"temperature_c": 4.6, "dew_point_c": 3.4}),
    ],
)
def test_groups_say_what_they_say(raw, expected):
    report = decode_metar(raw)
    assert {name: getattr(report, name) for name in expected} == expected


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "nonsense",
        "TAF LFBO 221700Z 2218/2324 31012KT",
        "LFBO",
        "LFBO what is this",
        "<html>",
    ],
)
def test_what_is_no_report_is_refused(raw):
    with pytest.raises(ProtocolError):
        decode_metar(raw)


def test_an_endless_report_is_refused():
    with pytest.raises(ProtocolError, match="over"):
        decode_metar("LFBO 221900Z " + "9999 " * LONGEST_REPORT)


GROUPS = (
    f"{REPORT} COR NIL M05/ 26/XX ///// 29/// 1 3/4SM R24/0900VP2000U VV/// BKN10027/21 NSC17/05 "
    "RMK T01720161 $ NOSIG INTER 9999NDV 0400/ A2992 Q//// E22006KT /////KT W17/S3"
).split()


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=120),
        st.lists(st.one_of(st.sampled_from(GROUPS), st.text(string.printable, max_size=9))).map(
            lambda groups: "EGLL " + " ".join(groups)
        ),
    ),
    st.one_of(st.none(), st.integers(-(1 << 62), 1 << 62)),
)
def test_any_text_is_read_or_refused_and_stays_in_range(raw, now_us):
    with contextlib.suppress(ProtocolError):
        hold(decode_metar(raw, now_us))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_mutated_report_is_read_or_refused_and_stays_in_range(data):
    raw = list(f"{REPORT} RMK T01400090")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.sampled_from(["", "/", " ", "9", "M", "V", "T", "K", "Q", "A"]))
    with contextlib.suppress(ProtocolError):
        hold(decode_metar("".join(raw)))


def test_a_trend_never_touches_the_body():
    body = "LFBO 221900Z 31012KT 9999 FEW015 14/09 Q1008"
    alone = decode_metar(body)
    for trend in ("TEMPO 0500 FG VV001", "BECMG 25040G60KT", "INTER 1800/2000 9000 SHRA BKN001"):
        with_trend = decode_metar(f"{body} {trend}")
        assert with_trend.trend == (trend,)
        for name in alone.__struct_fields__:
            if name not in {"raw", "trend"}:
                assert getattr(with_trend, name) == getattr(alone, name)


CSV = """raw_text,station_id,observation_time,sky_cover,cloud_base_ft_agl,sky_cover
LFBO 221900Z 31012KT,LFBO,2026-11-22T19:00:00Z,,,
"EGLL 221850Z 20005KT, AND MORE",EGLL,2026-11-22T18:50:00Z,,,
,EGLL,,,,
KJFK 221851Z 20005KT"""


@pytest.mark.parametrize("preamble", ["", "No errors\nNo warnings\n99 ms\ndata source=metars\n3\n"])
def test_awc_cache_files_give_their_reports(preamble):
    assert list(read_awc_cache(preamble + CSV)) == [
        RawReport("LFBO 221900Z 31012KT", us(2026, 11, 22, 19, 0)),
        RawReport("EGLL 221850Z 20005KT, AND MORE", us(2026, 11, 22, 18, 50)),
        RawReport("KJFK 221851Z 20005KT", None),
    ]


def test_the_real_cache_gives_all_its_reports():
    text = gzip.decompress(shared("awc_metars_20250814T1840Z.csv.gz").read_bytes()).decode()
    reports = list(read_awc_cache(text))
    assert len(reports) == 5073
    assert all(report.observed_at_us for report in reports)
    agreed = sum(
        decode_metar(report.raw, us(2025, 8, 14, 18, 45)).observed_at_us == report.observed_at_us
        for report in reports
    )
    assert agreed >= 5060


def test_what_is_no_cache_file_is_refused():
    for text in ("", "<html>Call Blocked</html>", "a,b\n1,2\n", "x" * 300_000):
        with pytest.raises(ProtocolError):
            list(read_awc_cache(text))


def test_noaa_files_and_plain_lists_give_their_reports():
    text = (
        "2026/11/22 19:00\nLFBO 221900Z 31012KT\n     9999 Q1008\n\n"
        "2026/11/22 18:50\nEGLL 221850Z 20005KT\n\nKJFK 221851Z 20005KT\n2026/13/45 99:99\nX\n"
    )
    assert list(read_noaa_text(text)) == [
        RawReport("LFBO 221900Z 31012KT 9999 Q1008", us(2026, 11, 22, 19, 0)),
        RawReport("EGLL 221850Z 20005KT", us(2026, 11, 22, 18, 50)),
        RawReport("KJFK 221851Z 20005KT", None),
        RawReport("X", None),
    ]
    assert list(read_noaa_text("")) == []


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_reports_or_is_refused(text):
    list(read_noaa_text(text))
    with contextlib.suppress(ProtocolError):
        list(read_awc_cache("raw_text,observation_time\n" + text))
