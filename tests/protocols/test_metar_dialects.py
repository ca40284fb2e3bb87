"""What other parsers have got dangerously wrong, and how far ours agrees with AWC's own decode."""

import contextlib
import csv
import gzip
import json
import os
import random
import re
import string
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather import groups
from aerocast_protocols.weather.metar import decode_metar
from aerocast_protocols.weather.metar_report import METRES_PER_MILE, Cloud, RunwayState

from tests.protocols.metar_truths import hold

WEATHER = Path(__file__).parents[2].parent / "shared" / "data" / "weather"
CACHES = ["20141218T0758Z", "20221022T0253Z", "20221022T1913Z", "20250814T1840Z"]
MUTATED = 100_000 if os.environ.get("AEROCAST_SOAK") else 2_000


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000


def said(raw, *names):
    report = decode_metar(raw)
    return tuple(getattr(report, name) for name in names)


def test_missing_visibility_is_not_good_visibility():
    report = decode_metar("EGYE 231120Z AUTO 11019KT //// // ////// 10/08 Q1010")
    assert (report.visibility_m, report.flight_category) == (None, None)


def test_wind_without_unit_is_knots_and_says_so():
    raw = "HSPN 231100Z 04014 9999 SCT030 32/23 Q1013"
    assert said(raw, "wind_speed_kt", "flags") == (14, ("UNIT_ASSUMED",))


@pytest.mark.parametrize("trend", ["INTER 1800/2000", "TEMPO", "BECMG", "NOSIG BECMG", "FM0900"])
def test_a_trend_of_any_kind_leaves_the_body_alone(trend):
    body = "NVSS 141800Z 19004KT 9999 -SHRA FEW010 BKN018 23/23 Q1009"
    names = ("visibility_m", "wind_speed_kt", "weather", "clouds", "altimeter_hpa", "unparsed")
    with_trend = f"{body} {trend} 30040G60KT 0200 +TSRA VV001 Q0900 RMK A3048"
    assert said(with_trend, *names) == said(body, *names)
    assert "VV001" in decode_metar(with_trend).trend[-1]


def test_a_second_wind_after_a_colour_state_is_a_trend():
    raw = (
        "EHWO 180725Z AUTO 23010KT 2500 R25/2200 DZ SCT003 OVC004 11/11 Q1009 YLO 23010KT 4000 BR "
        "BKN005 OVC007 TEMPO 2000 DZ BKN003"
    )
    report = decode_metar(raw)
    assert (report.visibility_m, report.weather, len(report.clouds)) == (2500, ("DZ",), 2)
    assert report.trend == ("23010KT 4000 BR BKN005 OVC007", "TEMPO 2000 DZ BKN003")
    assert (report.colours, report.unparsed) == (("YLO",), ())


def test_a_visibility_of_five_digits_loses_nothing_after_it():
    raw = "MGPB 231100Z 00000KT 99999 FEW014 BKN080 23/22 Q1012 A2988"
    names = ("visibility_m", "ceiling_ft", "temperature_c", "altimeter_hpa", "unparsed")
    assert said(raw, *names) == (None, 8000, 23, 1012, ("99999",))


def test_exact_temperatures_that_contradict_the_body_do_not_count():
    raw = "KSKA 141755Z 00000KT 10SM FEW150 28/11 A2994 RMK AO2A SLP103 T02220067"
    assert said(raw, "temperature_c", "dew_point_c", "flags") == (28, 11, ("T_GROUP_MISMATCH",))


def test_runway_state_is_no_wind():
    raw = "UKDD 180730Z 01005MPS 340V060 0400 R08/0650N FG VV002 06/06 Q1012 08220356 NOSIG"
    assert said(raw, "wind_direction_deg", "wind_speed_kt", "wind_gust_kt") == (10, 9.7, None)
    assert decode_metar(raw).runway_states == (
        RunwayState(runway="08", deposit="wet", extent_percent=25, depth_mm=3, friction=0.56),
    )


@pytest.mark.parametrize(
    ("group", "state"),
    [
        (
            "R24L/490155",
            RunwayState(
                runway="24L", deposit="dry snow", extent_percent=100, depth_mm=1, friction=0.55
            ),
        ),
        ("R12/49//95", RunwayState(runway="12", deposit="dry snow", extent_percent=100)),
        (
            "R08/629234",
            RunwayState(
                runway="08", deposit="slush", extent_percent=25, depth_mm=100, friction=0.34
            ),
        ),
        ("R23/CLRD70", RunwayState(runway="23", is_cleared=True)),
        ("88CLRD70", RunwayState(runway="88", is_cleared=True)),
        ("15//99//", RunwayState(runway="15")),
    ],
)  # fmt: skip
def test_what_lies_on_runways_is_read(group, state):
    raw = f"UKDD 180730Z 01005MPS 9999 NSC 06/06 Q1012 {group}"
    assert said(raw, "runway_states", "unparsed") == ((state,), ())


def test_a_wind_of_three_digits_has_them_all():
    assert said("MMLM 262040Z 220011KT 10SM", "wind_direction_deg", "wind_speed_kt") == (220, 11)


def test_inches_become_hectopascals_with_their_tenths():
    assert said("KLAX 281253Z 24005KT A2999", "altimeter_hpa") == (1015.6,)


@pytest.mark.parametrize("word", ["METAR ", "SPECI ", "METAR COR ", ""])
def test_the_word_before_a_report_changes_nothing_but_the_correction(word):
    report = decode_metar(f"{word}LFBO 221900Z 31012KT CAVOK 14/09 Q1008=")
    assert (report.station, report.wind_speed_kt) == ("LFBO", 12)
    assert report.corrected == ("COR" in word)


def test_an_unknown_group_costs_only_itself():
    raw = "LFBO 221900Z GIBBERISH 31012KT 9999 ##?! FEW030 14/09 Q1008"
    names = ("wind_speed_kt", "visibility_m", "temperature_c", "altimeter_hpa", "unparsed")
    assert said(raw, *names) == (12, 10_000, 14, 1008, ("GIBBERISH", "##?!"))


def test_less_than_a_quarter_of_a_mile_is_a_distance():
    raw = "KOLS 160126Z AUTO 26009G41KT M1/4SM +TSRA BKN012 17/14 A3020"
    names = ("visibility_m", "visibility_qualifier", "flight_category")
    assert said(raw, *names) == (402.3, "M", "LIFR")


@pytest.mark.parametrize("station", ["K2W6", "KY19", "K40J"])
def test_stations_with_digits_are_stations(station):
    assert said(f"{station} 180755Z AUTO 11004KT 10SM CLR", "station") == (station,)


def test_a_canadian_correction_hides_nothing():
    raw = "CYAZ 020000Z CCA 15014G23KT 15SM -SHRA FEW035 12/06 A2998"
    assert said(raw, "wind_gust_kt", "visibility_m", "corrected") == (23, 24140.2, True)


def test_a_missing_dew_point_leaves_the_temperature():
    assert said("CWFD 262129Z M05/ A2945", "temperature_c", "dew_point_c") == (-5, None)
    assert said("ESNG 220220Z 01/// Q1004", "temperature_c", "dew_point_c") == (1, None)
    assert said("SVCS 220203Z NCD ///46 Q1015", "temperature_c", "dew_point_c") == (None, None)


def test_no_report_is_from_the_future():
    assert decode_metar("LFBO 011250Z 31012KT", us(2026, 11, 22, 19)).observed_at_us == us(
        2026, 11, 1, 12, 50
    )


@pytest.mark.parametrize(
    ("glued", "apart"),
    [
        ("18/16Q1011", "18/16 Q1011"),
        ("NSC17/05", "NSC 17/05"),
        ("BKN10027/21", "BKN100 27/21"),
        ("FEW018SCT080", "FEW018 SCT080"),
        ("9999FEW023", "9999 FEW023"),
        ("1800HZ", "1800 HZ"),
        ("Q1021/A30.15", "Q1021 A30.15"),
    ],
)
def test_glued_groups_are_taken_apart(glued, apart):
    head = "LFBO 221900Z 31012KT"
    one, other = decode_metar(f"{head} {glued}"), decode_metar(f"{head} {apart}")
    for name in ("visibility_m", "weather", "clouds", "temperature_c", "altimeter_hpa", "unparsed"):
        assert getattr(one, name) == getattr(other, name)
    assert (one.flags, other.flags) == (("GLUED",), ())


def test_an_estimated_wind_is_a_wind():
    assert said("MMZH 202043Z E22006KT 7SM", "wind_direction_deg", "wind_speed_kt") == (220, 6)


@pytest.mark.parametrize(
    ("groups_of_body", "expected"),
    [
        ("00014KT", {"wind_direction_deg": "VRB", "wind_speed_kt": 14, "flags": ("OUT_OF_RANGE",)}),
        ("280//KT", {"wind_direction_deg": 280, "wind_speed_kt": None}),
        ("32020G//KT", {"wind_speed_kt": 20, "wind_gust_kt": None}),
        ("36005KT 11/2SM", {"visibility_m": 2414.0}),
        ("36005KT 10 SM", {"visibility_m": 16093.4, "unparsed": ()}),
        ("36005KT CAVOK 9999", {"visibility_m": 10_000, "minimum_visibility_m": None}),
        ("36005KT 2500 0400/", {"visibility_m": 2500, "minimum_visibility_m": 400}),
        ("36005KT 4000M", {"visibility_m": 4000}),
        ("36005KT BKN///", {"clouds": (Cloud(cover="BKN"),), "ceiling_ft": None}),
        ("36005KT ///TCU", {"clouds": (Cloud(cover=None, type="TCU"),)}),
        ("36005KT /////////", {"clouds": ()}),
        ("36005KT SCT///TCU", {"clouds": (Cloud(cover="SCT", type="TCU"),)}),
        ("36005KT RERA BLU+ W17/S3", {"recent_weather": ("RERA",), "colours": ("BLU+",)}),
        ("36005KT WS ALL RWY", {"unparsed": ()}),
        ("36005KT Q1013 RMK/RWY03 INFO H", {"altimeter_hpa": 1013, "unparsed": ()}),
        ("36005KT 26/XX", {"temperature_c": 26, "dew_point_c": None}),
    ],
)
def test_what_stations_really_write(groups_of_body, expected):
    report = decode_metar(f"XXXX 010000Z {groups_of_body}")
    assert {name: getattr(report, name) for name in expected} == expected


def test_what_groups_mean_is_forgotten_before_it_fills_the_memory():
    for number in range(groups.MOST_REMEMBERED + 100):
        decode_metar(f"LFBO 010000Z 9999 X{number}Y")
    assert len(groups.MEANINGS) <= groups.MOST_REMEMBERED
    long = "Z" * (groups.LONGEST_GROUP + 1)
    assert said(f"LFBO 010000Z 9999 {long}", "unparsed") == ((long,),)
    assert long not in groups.MEANINGS


@cache
def rows(name):
    path = WEATHER / f"awc_metars_{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"{path.name}: shared data is not here")
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("raw_text,"))
    return list(csv.reader(lines[start:]))


def number(text):
    return None if text.rstrip("+") in {"", "VRB"} else float(text.rstrip("+"))


def differs(ours, theirs, tolerance):
    if ours is None or theirs is None:
        return ours is not theirs
    return abs(ours - theirs) > tolerance


CLEAR = {"SKC", "CLR", "NSC", "NCD", "CAVOK", None}


def layers(header, row):
    """Give AWC's layers as ours: it keeps at most four, and the height of VV elsewhere."""
    covers = [row[at] for at, name in enumerate(header) if name == "sky_cover"]
    bases = [row[at] for at, name in enumerate(header) if name == "cloud_base_ft_agl"]
    hidden_ft = number(row[header.index("vert_vis_ft")])
    return [
        ("VV", hidden_ft) if cover == "OVX" else (cover, number(base))
        for cover, base in zip(covers, bases, strict=True)
        if cover and cover not in CLEAR
    ]


def is_other_way(ours, theirs):
    """Compare directions; AWC wrote 0 for variable until 2025."""
    if ours == "VRB":
        return theirs not in {"VRB", "0"}
    return differs(ours, number(theirs), 0)


def differences(header, row, report):
    """Name the fields in which a report of ours differs from AWC's decode."""
    told = {name: row[header.index(name)] for name in header}
    miles = number(told["visibility_statute_mi"])
    seen = None if report.visibility_m is None else report.visibility_m / METRES_PER_MILE
    inches = number(told["altim_in_hg"]) or None  # 0 is missing since 2025
    theirs_hpa = None if inches is None else inches * 33.8639
    ours = [(each.cover, each.base_ft) for each in report.clouds if each.cover not in CLEAR]
    found = {
        "direction": is_other_way(report.wind_direction_deg, told["wind_dir_degrees"]),
        "speed": differs(report.wind_speed_kt, number(told["wind_speed_kt"]), 1),
        "gust": differs(report.wind_gust_kt, number(told["wind_gust_kt"]), 1),
        "visibility": differs(seen, miles, 0.04 * (miles or 1) + 0.02),
        "temperature": differs(report.temperature_c, number(told["temp_c"]), 0.5),
        "dew point": differs(report.dew_point_c, number(told["dewpoint_c"]), 0.5),
        "altimeter": differs(report.altimeter_hpa, theirs_hpa, 0.6),
        "clouds": ours[:4] != layers(header, row),
    }
    return {field for field, is_different in found.items() if is_different}


WIND = {"direction", "speed", "gust"}
HEAT = {"temperature", "dew point"}
# Every kind of difference that is left: what it is, who is right, the fields, what tells it.
LEFT = (
    ("AWC drops a visibility with NDV", "ours", {"visibility"}, r"\d{4}NDV"),
    ("AWC drops layers whose type or base is missing", "ours", {"clouds"},
     r"(FEW|SCT|BKN|OVC)(\d{3})?///"),
    ("AWC drops layers of other clouds than CB and TCU", "ours", {"clouds"}, r"\d{3}(SC|ST|CU)\b"),
    ("AWC takes clouds of the trend after a colour state", "ours", {"clouds"},
     r"(YLO|GRN|RED|AMB) \d{5}KT"),
    ("AWC drops a temperature whose dew point is missing", "ours", {"temperature"}, r"\d\d///"),
    ("AWC drops a wind of which a part is missing", "ours", WIND, r" ///\d\dKT|//KT"),
    ("AWC drops or mistakes glued groups", "ours", {"visibility", "clouds", *HEAT},
     r"\d\d/\d\dQ|\d{5}/\d\d|\d{4}(HZ|FEW)|\d{3}SCT|10 SM"),
    ("AWC drops a pressure in two units, or with a point", "ours", {"altimeter"}, r"Q[\d.]+/|Q\."),
    ("AWC takes the second of two pressures", "ours: the first", {"altimeter"}, r"A\d{4} Q\d{4}"),
    ("AWC reads a temperature in a runway's range", "ours", HEAT, r"R\d\d/\d{4}/ "),
    ("AWC keeps a dew point over the temperature", "neither knows", {"dew point"},
     r" 18/21 |M17/M11|14/16|23/25|22/24"),
    ("AWC takes exact values that contradict the body", "neither knows", {"dew point"}, r"08/06 "),
    ("AWC reads words of an older code, no METAR", "ours", {"visibility"}, r"^UTO8"),
    ("AWC reads what was sent over one another", "AWC", WIND, r"12/92000013G23KT"),
    ("AWC joins a layer with a space in it", "AWC", {"clouds"}, r"OVC 070"),
)  # fmt: skip


def test_ours_agrees_with_awc_on_nearly_all_reports_and_every_other_kind_is_known():
    total, left, unknown, seen = 0, 0, [], set()
    for name in CACHES:
        header, *reports = rows(name)
        for row in reports:
            total += 1
            if fields := differences(header, row, decode_metar(row[0])):
                left += 1
                kinds = [each for each in LEFT if re.search(each[-1], row[0])]
                seen.update(each[0] for each in kinds if fields & each[2])
                if not fields <= set().union(*(each[2] for each in kinds)):
                    unknown.append((fields, row[0]))
    assert unknown == []
    assert seen == {each[0] for each in LEFT}
    assert 1 - left / total >= 0.987, left


def test_categories_are_awc_s_but_where_it_takes_an_unknown_vertical_visibility_for_0():
    total, left = 0, []
    for name in CACHES:
        header, *reports = rows(name)
        place = header.index("flight_category")
        for row in reports:
            report = decode_metar(row[0])
            assert report.visibility_m is not None or report.flight_category is None
            if row[place]:
                total += 1
                if report.flight_category != row[place]:
                    left.append((row[0], row[place]))
    others = [raw for raw, category in left if " VV" not in raw]
    assert {category for raw, category in left if " VV" in raw} == {"LIFR"}
    assert len(left) - len(others) <= 0.002 * total
    # 1,200 m are 0.75 miles: LIFR. AWC reads 1.24 of it.
    assert [raw.split()[4] for raw in others] == ["1200NDV"]


@pytest.mark.soak
def test_mutated_reports_are_read_or_refused_and_stay_in_range():
    rng = random.Random(11)
    texts = [row[0] for name in CACHES for row in rows(name)[1:]]
    letters = string.printable + "éß٣\u2028²"
    for _ in range(MUTATED):
        text = list(rng.choice(texts))
        for _ in range(rng.randint(1, 8)):
            place = rng.randrange(len(text))
            text[place] = rng.choice(["", " ", "/", rng.choice(letters), text[place] * 2])
        with contextlib.suppress(ProtocolError):
            hold(decode_metar("".join(text), us(2026, 11, 22, 12)))


def test_every_shared_report_is_read():
    texts = [row[0] for name in CACHES for row in rows(name)[1:]]
    texts += [
        case["raw"] for case in json.loads((WEATHER / "metaf_real.json").read_text())["metar"]
    ]
    for text in texts:
        hold(decode_metar(text, us(2026, 11, 22, 12)))
