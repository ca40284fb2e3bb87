"""TAFs in every dialect, and what they come to at any instant."""

import contextlib
import json
import os
import random
import re
import string
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.day_time import nearest_day_time
from aerocast_protocols.weather.metar_report import Cloud
from aerocast_protocols.weather.taf import LONGEST_FORECAST, decode_taf
from aerocast_protocols.weather.taf_report import Conditions, ExtremeTemperature, WindShear
from aerocast_protocols.weather.taf_timeline import period_at, timeline, worse_of
from hypothesis import given, settings
from hypothesis import strategies as st

WEATHER = Path(__file__).parents[2].parent / "shared" / "data" / "weather"
NOON = (2026, 11, 22, 12, 0)
MUTATED = 100_000 if os.environ.get("AEROCAST_SOAK") else 2_000
HEAD = "TAF LFBO 221100Z 2212/2318"


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000


def shared(name: str) -> Path:
    path = WEATHER / name
    if not path.exists():
        pytest.skip(f"{name}: shared data is not here")
    return path


def of_text(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


def at(raw, *moment, now=NOON):
    period = period_at(timeline(decode_taf(raw, us(*now))), us(*moment))
    assert period is not None
    return period


def kinds(period):
    return [(each.kind, each.probability) for each in period.alternatives]


def test_the_forecast_resolved_by_hand_comes_out_the_same():
    for case in json.loads(shared("taf_timeline_example.json").read_text()):
        periods = timeline(decode_taf(case["raw"], of_text(case["now"])))
        for instant, truth in case["at"].items():
            period = period_at(periods, of_text(instant))
            expected = dict(truth)
            for told, alternative in zip(
                expected.pop("alternatives"), period.alternatives, strict=True
            ):
                assert (alternative.kind, alternative.probability) == (
                    told.pop("kind"),
                    told.pop("probability"),
                )
                told["weather"] = tuple(told["weather"])
                assert {name: getattr(alternative.conditions, name) for name in told} == told
            assert {name: getattr(period.prevailing, name) for name in expected} == expected


def test_a_forecast_is_read_whole():
    raw = (
        "TAF AMD KLAX 221130Z 2212/2324 24012G22KT 1 1/2SM -RA BR OVC007 WS020/25045KT "
        "TX18/2221Z TNM02/2312Z FM221500 26008KT P6SM SCT015 BECMG 2306/2308 VRB03KT CAVOK "
        "PROB30 TEMPO 2310/2314 1/4SM FG VV001 RMK NXT FCST BY 18Z="
    )
    taf = decode_taf(raw, us(*NOON))
    assert (taf.station, taf.raw, taf.amended, taf.corrected) == ("KLAX", raw, True, False)
    assert taf.issued_at_us == us(2026, 11, 22, 11, 30)
    assert (taf.valid_from_us, taf.valid_to_us) == (us(2026, 11, 22, 12), us(2026, 11, 24))
    base, later, becoming, probable = taf.groups
    assert base.conditions == Conditions(
        wind_direction_deg=240,
        wind_speed_kt=12,
        wind_gust_kt=22,
        visibility_m=2414.0,
        weather=("-RA", "BR"),
        clouds=(Cloud(cover="OVC", base_ft=700),),
        ceiling_ft=700,
        flight_category="IFR",
        wind_shear=WindShear(height_ft=2000, direction_deg=250, speed_kt=45),
    )
    assert (base.kind, base.to_us) == ("BASE", us(2026, 11, 22, 15))
    assert (later.kind, later.from_us, later.to_us) == (
        "FM",
        us(2026, 11, 22, 15),
        us(2026, 11, 24),
    )
    assert later.conditions.visibility_qualifier == "P"
    assert (becoming.kind, becoming.from_us, becoming.to_us) == (
        "BECMG",
        us(2026, 11, 23, 6),
        us(2026, 11, 23, 8),
    )
    assert (probable.kind, probable.probability) == ("TEMPO", 30)
    assert taf.temperatures == (
        ExtremeTemperature(kind="TX", temperature_c=18, at_us=us(2026, 11, 22, 21)),
        ExtremeTemperature(kind="TN", temperature_c=-2, at_us=us(2026, 11, 23, 12)),
    )
    assert (taf.unparsed, taf.flags) == ((), ())


def test_from_replaces_everything_and_becoming_only_what_it_names():
    raw = f"{HEAD} 29020G35KT 3000 RA BKN008 FM221500 27010KT 9999 SCT020 BECMG 2220/2222 BKN012 RA"
    early = at(raw, 2026, 11, 22, 14).prevailing
    assert (early.visibility_m, early.weather, early.ceiling_ft) == (3000, ("RA",), 800)
    later = at(raw, 2026, 11, 22, 15).prevailing
    assert (later.wind_gust_kt, later.visibility_m, later.weather) == (None, 10_000, ())
    last = at(raw, 2026, 11, 22, 22).prevailing
    assert (last.wind_direction_deg, last.visibility_m) == (270, 10_000)
    assert (last.weather, last.ceiling_ft, last.flight_category) == (("RA",), 1200, "MVFR")


def test_while_it_becomes_bad_news_counts_from_the_beginning_and_good_news_from_the_end():
    worse = f"{HEAD} 29010KT 9999 NSC BECMG 2214/2216 30025G40KT 0800 FG OVC002"
    assert at(worse, 2026, 11, 22, 13).prevailing.flight_category == "VFR"
    during = at(worse, 2026, 11, 22, 14).prevailing
    assert (during.wind_gust_kt, during.visibility_m, during.ceiling_ft) == (40, 800, 200)
    better = f"{HEAD} 30025G40KT 0800 FG OVC002 BECMG 2214/2216 29010KT CAVOK"
    during = at(better, 2026, 11, 22, 15).prevailing
    assert (during.wind_gust_kt, during.visibility_m, during.ceiling_ft) == (40, 800, 200)
    assert during.weather == ("FG",)
    after = at(better, 2026, 11, 22, 16).prevailing
    assert (after.wind_gust_kt, after.visibility_m, after.ceiling_ft) == (None, 10_000, None)
    assert (after.weather, after.clouds) == ((), (Cloud(cover="CAVOK"),))


def test_alternatives_stand_over_what_prevails_and_the_worst_leaves_probabilities_apart():
    raw = (
        f"{HEAD} 29010KT 9999 SCT020 TEMPO 2214/2218 4000 SHRA BKN012 INTER 2214/2216 "
        "31030G45KT PROB40 2214/2218 0500 FG OVC001 PROB30 TEMPO 2215/2218 +TSRA BKN008CB"
    )
    period = at(raw, 2026, 11, 22, 15)
    assert kinds(period) == [("TEMPO", None), ("INTER", None), ("PROB", 40), ("TEMPO", 30)]
    showers, squalls, fog, storm = (each.conditions for each in period.alternatives)
    assert (showers.wind_speed_kt, showers.visibility_m, showers.ceiling_ft) == (10, 4000, 1200)
    assert (squalls.wind_gust_kt, squalls.visibility_m, squalls.ceiling_ft) == (45, 10_000, None)
    assert (fog.wind_speed_kt, fog.flight_category) == (10, "LIFR")
    assert storm.weather == ("+TSRA",)
    worst = period.worst_credible
    assert (worst.wind_gust_kt, worst.visibility_m, worst.ceiling_ft) == (45, 4000, 1200)
    assert (worst.weather, worst.flight_category) == (("SHRA",), "IFR")
    assert period.prevailing.flight_category == "VFR"
    assert kinds(at(raw, 2026, 11, 22, 18)) == []


@pytest.mark.parametrize(
    ("raw", "now", "valid"),
    [
        ("LFBO 311700Z 3118/0124", (2026, 12, 31, 18, 0), ((2026, 12, 31, 18), (2027, 1, 2, 0))),
        ("LFBO 282300Z 0100/0206", (2027, 3, 1, 0, 10), ((2027, 3, 1, 0), (2027, 3, 2, 6))),
        ("LFBO 302300Z 3024/0124", (2026, 11, 30, 23, 5), ((2026, 12, 1, 0), (2026, 12, 2, 0))),
        ("LFBO 281700Z 2818/2906", (2028, 2, 28, 18, 0), ((2028, 2, 28, 18), (2028, 2, 29, 6))),
        ("LFBO 3118/0124", (2027, 1, 1, 3, 0), ((2026, 12, 31, 18), (2027, 1, 2, 0))),
        ("EGDG 011206", (2026, 9, 1, 11, 0), ((2026, 9, 1, 12), (2026, 9, 2, 6))),
        ("PAGK 301909Z 301918", (2026, 9, 30, 20, 0), ((2026, 9, 30, 19), (2026, 10, 1, 18))),
    ],
)
def test_validity_finds_its_month_and_year(raw, now, valid):
    taf = decode_taf(f"TAF {raw} 29010KT 9999 SCT020", us(*now))
    assert (taf.valid_from_us, taf.valid_to_us) == tuple(us(*moment) for moment in valid)
    assert taf.unparsed == ()


def test_changes_over_the_end_of_a_month_and_a_year_fall_where_they_belong():
    raw = (
        "TAF LFBO 311700Z 3118/0124 29010KT 9999 NSC TEMPO 3122/0102 4000 RA "
        "FM010330 27005KT 9999 NSC BECMG 0122/0124 2000 BR"
    )
    now = (2026, 12, 31, 18, 0)
    assert kinds(at(raw, 2027, 1, 1, 1, now=now)) == [("TEMPO", None)]
    assert at(raw, 2027, 1, 1, 3, 29, now=now).prevailing.wind_speed_kt == 10
    assert at(raw, 2027, 1, 1, 3, 30, now=now).prevailing.wind_speed_kt == 5
    assert at(raw, 2027, 1, 1, 23, now=now).prevailing.visibility_m == 2000


def test_the_old_form_with_hours_alone_is_read():
    raw = (
        "TAF EGXW 011206 35008KT 9999 SCT020 BKN045 TEMPO 1216 SCT025 BECMG 2124 BKN008 OVC018 "
        "FM0300 36010KT 7000 BKN005 PROB30 TEMPO 0306 4000 BKN002 TM05/20Z"
    )
    now = (2026, 9, 1, 11, 0)
    taf = decode_taf(raw, us(*now))
    assert taf.unparsed == ()
    assert kinds(at(raw, 2026, 9, 1, 15, now=now)) == [("TEMPO", None)]
    assert at(raw, 2026, 9, 2, 0, now=now).prevailing.ceiling_ft == 800
    assert at(raw, 2026, 9, 2, 3, now=now).prevailing.visibility_m == 7000
    assert kinds(at(raw, 2026, 9, 2, 3, now=now)) == [("TEMPO", 30)]
    assert taf.temperatures[0].at_us == us(2026, 9, 1, 20)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("TAF EGKB 182000Z NIL=", {"nil": True, "valid_from_us": None}),
        ("TAF AMD YUDO 221500Z 2215/2318 CNL", {"cancelled": True, "amended": True}),
        ("TAF COR EIKN 221126Z 2212/2318 25014KT", {"corrected": True}),
    ],
)
def test_forecasts_that_are_none_say_so(raw, expected):
    taf = decode_taf(raw, us(*NOON))
    assert {name: getattr(taf, name) for name in expected} == expected
    if taf.nil or taf.cancelled:
        assert timeline(taf) == ()


def test_a_change_without_readable_time_may_come_at_any_time():
    raw = f"{HEAD} 29010KT 9999 NSC PROB40 3000 TSRA FEW015CB TEMPO 2299/2300 2000 RA"
    taf = decode_taf(raw, us(*NOON))
    assert taf.flags == ("TIME_ASSUMED",)
    assert taf.unparsed == ("2299/2300",)
    for period in timeline(taf):
        assert kinds(period) == [("PROB", 40), ("TEMPO", None)]
    raw = f"{HEAD} 29010KT 9999 NSC FM229900 30040KT 0500 FG"
    taf = decode_taf(raw, us(*NOON))
    assert (taf.flags, taf.unparsed) == (("TIME_ASSUMED",), ("229900",))
    assert {period.prevailing.visibility_m for period in timeline(taf)} == {500}


def test_what_a_forecast_ends_with_is_no_weather():
    for tail in ("AMD 1515", "COR 1340", "LAST NO AMDS AFT 2217", "AMD NOT SKED", "RMK 0500 FG"):
        taf = decode_taf(f"{HEAD} 29010KT 9999 NSC QNH2980INS {tail}", us(*NOON))
        (group,) = taf.groups
        assert group.conditions.visibility_m == 10_000
        assert group.altimeter_hpa == pytest.approx(1009.1, abs=0.1)
        assert taf.unparsed == ()


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "nonsense",
        "TAF",
        "METAR LFBO 221900Z 31012KT 9999",
        "LFBO 221900Z 31012KT 9999",
        "TAF LFBO 221100Z 2299/2318 29010KT",
        "TAF LFBO 221100Z 2212/2212 29010KT",
        "TAF LFBO 221100Z 3212/3318 29010KT",
        "TAF EGDG 011299 04012KT",
        "x" * (LONGEST_FORECAST + 1),
    ],
)
def test_what_is_no_forecast_is_refused(raw):
    with pytest.raises(ProtocolError):
        decode_taf(raw, us(*NOON))


def real_forecasts():
    return [
        (case["raw"], of_text(f"{case['date']}T23:00:00+00:00"))
        for case in json.loads(shared("metaf_real.json").read_text())["taf"]
    ]


CHANGES = re.compile(
    r"\b(?:FM\d{4,6}|BECMG|(?:PROB\d\d )?(?:TEMPO|INTER)|PROB\d\d(?! (?:TEM|INT)))"
)


def test_real_forecasts_are_read_and_every_change_in_them_is_found():
    unread = []
    for raw, now_us in real_forecasts():
        taf = decode_taf(raw, now_us)
        unread += taf.unparsed
        if taf.nil:
            continue
        body = re.split(r" (?:RMK|LAST) ", raw)[0]
        assert len(taf.groups) - 1 == len(CHANGES.findall(body)), raw
        check(taf)
    # Typing errors of their stations, one of each; and a text in the place of a forecast.
    assert sorted(unread) == [
        *("017", "0500S4KT", "1015/1", "AVBL", "BKN01", "DUE", "FCST", "NO", "NOT", "OBS"),
        *("SCT035C", "T", "X33/1018Z"),
    ]


def check(taf):
    """Check what must be true of any forecast's timeline."""
    periods = timeline(taf)
    if not periods:
        assert taf.nil or taf.cancelled or taf.valid_from_us is None
        return
    assert periods[0].from_us == taf.valid_from_us
    assert periods[-1].to_us == taf.valid_to_us
    for period, following in pairwise(periods):
        assert period.from_us < period.to_us == following.from_us
    for period in periods:
        worst, prevailing = period.worst_credible, period.prevailing
        assert (worst.ceiling_ft or 99_999) <= (prevailing.ceiling_ft or 99_999)
        assert (worst.wind_speed_kt or 0) + (worst.wind_gust_kt or 0) >= 0
        if prevailing.visibility_m is not None:
            assert worst.visibility_m <= prevailing.visibility_m
        assert "NSW" not in prevailing.weather + worst.weather
        for state in (worst, prevailing, *(each.conditions for each in period.alternatives)):
            assert state.visibility_m is not None or state.flight_category is None


GROUP_TEXT = (
    "TAF AMD COR LFBO 221100Z 2212/2318 29010KT 24012G22MPS 9999 0800 P6SM 1 1/2SM CAVOK NSW NSC "
    "BKN012 OVC002CB -SHRA FG TEMPO BECMG INTER PROB30 PROB40 FM221500 FM0300 FM 2214/2218 "
    "2220/2224 1216 WS020/25045KT TX25/2312Z QNH2980INS 620304 RMK NIL CNL 011206 VV/// ///// ="
)
GROUPS = GROUP_TEXT.split()


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.text(max_size=100),
        st.lists(st.one_of(st.sampled_from(GROUPS), st.text(string.printable, max_size=9))).map(
            lambda groups: f"{HEAD} " + " ".join(groups)
        ),
    ),
    st.integers(-(1 << 62), 1 << 62),
)
def test_any_text_is_read_or_refused_and_its_timeline_holds_together(raw, now_us):
    with contextlib.suppress(ProtocolError):
        check(decode_taf(raw, now_us))
    with contextlib.suppress(ProtocolError):
        check(decode_taf(raw, us(*NOON)))


def mutated(raw, rng):
    letters = list(raw)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(letters))
        letters[place] = rng.choice(
            ["", " ", "/", rng.choice(string.printable), letters[place] * 2]
        )
    return "".join(letters)


@pytest.mark.soak
def test_mutated_forecasts_are_read_or_refused():
    rng = random.Random(7)
    forecasts = real_forecasts()
    for _ in range(MUTATED):
        raw, now_us = rng.choice(forecasts)
        with contextlib.suppress(ProtocolError):
            check(decode_taf(mutated(raw, rng), now_us))


states = st.builds(
    Conditions,
    wind_speed_kt=st.one_of(st.none(), st.floats(0, 90)),
    wind_gust_kt=st.one_of(st.none(), st.floats(0, 90)),
    visibility_m=st.one_of(st.none(), st.integers(0, 10_000)),
    weather=st.lists(st.sampled_from(["RA", "FG", "+TSRA"]), unique=True).map(tuple),
    ceiling_ft=st.one_of(st.none(), st.integers(0, 20_000)),
)


@settings(max_examples=100, deadline=None)
@given(states, states)
def test_the_worse_of_two_is_as_bad_as_either_in_any_order(first, second):
    worse, other = worse_of(first, second), worse_of(second, first)
    assert (worse.visibility_m, worse.ceiling_ft) == (other.visibility_m, other.ceiling_ft)
    assert set(worse.weather) == set(other.weather) == {*first.weather, *second.weather}
    assert worse_of(first, first) == worse_of(worse_of(first, first), first)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 31), st.integers(0, 24), st.integers(us(1990, 1, 1), us(2060, 1, 1)))
def test_the_nearest_such_day_is_within_a_month_and_has_that_day(day, hour, near_us):
    found_us = nearest_day_time(day, hour, 0, near_us)
    found = datetime.fromtimestamp((found_us - hour * 3_600_000_000) // 1_000_000, UTC)
    assert (found.day, found.hour) == (day, 0)
    assert abs(found_us - near_us) <= 46 * 86_400_000_000
