"""Claim: a station's own past foretells its next hours better than "it stays as it is".

Three airports of New York, 2013, hour by hour (shared data): models learn from the first fourteen
days of every month and are measured on days 16 to 19. Nothing is fitted to those days, and
strengths are chosen by cross-validation among the days learned from. The list of inputs of low
visibility is not quite blind to them: forty inputs did 8 to 19 % worse than calibrated persistence
there; of a dozen shorter lists compared by cross-validation the longest good one (with temperature
and dew point) does 1 % better in it and 3 to 5 % worse on the days aside, and the shorter was kept.

The peers are persistence, persistence that knows how often low visibility stays (calibrated), and
climatology. Brackets: the middle 90 % of 1,000 draws of days.

    python benchmarks/bench_nowcast.py --picture nowcast.svg
"""

import argparse
import csv
import gzip
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from aerocast_hub.weather.nowcast import (
    LEADS_H,
    LeadModel,
    StationModel,
    calibrated_persistence,
    foretell,
    learn,
)
from aerocast_hub.weather.station_history import (
    DAY_US,
    HOUR_US,
    LOW_VISIBILITY_M,
    Floats,
    History,
    Ints,
    Observed,
    Place,
    carried,
    history_of,
    nearest,
    taken,
)
from aerocast_hub.weather.verification import coverage, reliability

SHARED = Path(__file__).parents[2] / "shared" / "data" / "weather"
RECORD = SHARED / "nyc_hourly_2013_day1-19.csv.gz"
PLACES = {
    "EWR": Place(40.6925, -74.1687),
    "JFK": Place(40.6398, -73.7789),
    "LGA": Place(40.7772, -73.8726),
}
LAST_DAY_LEARNED, FIRST_DAY_MEASURED = 14, 16
KT_PER_MPH = 0.868976
STRONGEST_KT = 150.0  # one hour of the record has a wind of 1,048 miles an hour
DRAWS = 1000
BARS = {("temperature", 1): 0.85, ("temperature", 6): 0.70}
BELOW_ONE = 1.0  # of Brier scores against calibrated persistence, at every hour ahead


class Cases(NamedTuple):
    """What was foretold of one amount for one hour ahead, by whom, and what came: shape (n,)."""

    day: Ints
    told: dict[str, Floats]
    came: Floats


def main() -> None:
    """Learn, measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--picture", type=Path, help="an SVG file to draw the ratios in")
    options = parser.parse_args()
    if not RECORD.exists():
        print(f"{RECORD.name} is not here: nothing measured")
        return
    cases: dict[tuple[str, int], list[Cases]] = defaultdict(list)
    for station, reports in _reports().items():
        began_s = time.process_time()
        learned = history_of([each for day, each in reports if day <= LAST_DAY_LEARNED])
        model = learn(learned, PLACES[station])
        assert model is not None, "a year's hours are enough to learn from"  # noqa: S101 - a script
        took_s = time.process_time() - began_s
        print(f"{station}: learned from {model.hours} hours in {took_s:.1f} s of processor time")
        for (amount, lead_h), found in _measure(model, reports).items():
            cases[amount, lead_h].append(found)
    pooled = {key: _pooled(each) for key, each in cases.items()}
    ratios = _tell(pooled)
    _tell_bars(ratios)
    _tell_reliability(pooled)
    if options.picture is not None:
        options.picture.write_text(_picture(ratios))
        print(f"drawn in {options.picture}")


def _reports() -> dict[str, list[tuple[int, Observed]]]:
    """Give each station's reports with their day of the month."""
    stations: dict[str, list[tuple[int, Observed]]] = defaultdict(list)
    with gzip.open(RECORD, "rt") as lines:
        for row in csv.DictReader(lines):
            stations[row["origin"]].append((int(row["day"]), _observed(row)))
    return stations


def _observed(row: dict[str, str]) -> Observed:
    def number(key: str, change: Callable[[float], float] = float) -> float | None:
        return change(float(row[key])) if row[key] not in {"", "NA"} else None

    speed_kt = number("wind_speed", lambda mph: mph * KT_PER_MPH)
    return Observed(
        observed_at_us=int(datetime.fromisoformat(row["time_hour"]).timestamp()) * 1_000_000,
        temperature_c=number("temp", _celsius),
        dew_point_c=number("dewp", _celsius),
        wind_direction_deg=number("wind_dir"),
        wind_speed_kt=None if speed_kt is None or speed_kt > STRONGEST_KT else speed_kt,
        visibility_m=number("visib", lambda miles: miles * 1609.344),
        pressure_hpa=number("pressure"),
    )


def _celsius(fahrenheit: float) -> float:
    return (fahrenheit - 32.0) / 1.8


def _measure(
    model: StationModel, reports: Sequence[tuple[int, Observed]]
) -> dict[tuple[str, int], Cases]:
    """Foretell from every hour of the days kept aside to hours of those days."""
    everything = history_of([each for _, each in reports])
    known = carried(everything)
    aside = {each.observed_at_us for day, each in reports if day >= FIRST_DAY_MEASURED}
    is_aside = np.array([each in aside for each in everything.at_us.tolist()])
    found: dict[tuple[str, int], Cases] = {}
    for lead in model.leads:
        bases = np.flatnonzero(is_aside)
        then = nearest(everything.at_us, everything.at_us[bases] + lead.lead_h * HOUR_US, 0)
        usable = (then >= 0) & is_aside[then]
        found.update(_of_lead(model, lead, known, everything, (bases[usable], then[usable])))
    return found


def _of_lead(
    model: StationModel,
    lead: LeadModel,
    known: History,
    everything: History,
    pairs: tuple[Ints, Ints],
) -> dict[tuple[str, int], Cases]:
    bases, then = pairs
    told = foretell(model, known, bases, lead)
    day = everything.at_us[bases] // DAY_US
    hour = everything.at_us[then] // HOUR_US % 24
    usual = model.climate

    def usually(name: str) -> Floats:
        values = [getattr(usual[each], name) for each in range(24)]
        return np.array([np.nan if value is None else value for value in values])[hour]

    seen = taken(everything.visibility_m, then)
    seen_now = known.visibility_m[bases]
    chance = lead.low_visibility
    assert chance is not None and lead.temperature is not None  # noqa: S101, PT018 - a script
    low, _, high = lead.temperature.offsets
    return {
        ("temperature", lead.lead_h): Cases(
            day,
            {
                "ours": told.temperature_c,
                "persistence": known.temperature_c[bases],
                "from": told.temperature_c + low,
                "to": told.temperature_c + high,
            },
            taken(everything.temperature_c, then),
        ),
        ("wind", lead.lead_h): Cases(
            day,
            {"ours": told.wind_speed_kt, "persistence": known.wind_speed_kt[bases]},
            taken(everything.wind_speed_kt, then),
        ),
        ("low visibility", lead.lead_h): Cases(
            day,
            {
                "ours": told.low_visibility,
                "raw": np.where(np.isnan(seen_now), np.nan, seen_now < LOW_VISIBILITY_M),
                "persistence": calibrated_persistence(chance, seen_now),
                "climatology": np.full(len(bases), chance.rate),
            },
            np.where(np.isnan(seen), np.nan, seen < LOW_VISIBILITY_M),
        ),
    }


def _pooled(cases: Sequence[Cases]) -> Cases:
    """Put stations together; only cases that all foretold and whose outcome is known."""
    told = {name: np.concatenate([each.told[name] for each in cases]) for name in cases[0].told}
    came = np.concatenate([each.came for each in cases]).astype(np.float64)
    day = np.concatenate([each.day for each in cases])
    known = ~np.isnan(np.stack([*told.values(), came])).any(axis=0)
    return Cases(day[known], {name: each[known] for name, each in told.items()}, came[known])


def _tell(pooled: dict[tuple[str, int], Cases]) -> dict[tuple[str, int], tuple[float, ...]]:
    ratios: dict[tuple[str, int], tuple[float, ...]] = {}
    for amount, unit in (("temperature", "C"), ("wind", "kt")):
        print(f"\n{amount}: RMSE ({unit}) of persistence -> ours")
        for lead_h in LEADS_H:
            case = pooled[amount, lead_h]
            ratios[amount, lead_h] = ratio = _ratio(case, is_root=True)
            scores = [float(np.sqrt(_square(case, name))) for name in ("persistence", "ours")]
            extra = ""
            if "from" in case.told:
                inside = coverage(case.told["from"], case.told["to"], case.came)
                extra = f"  80 % interval covers {100 * (inside or 0.0):.0f} %"
            print(f"  {lead_h} h: {scores[0]:.2f} -> {scores[1]:.2f}  {_words(ratio)}{extra}")
    print("\nlow visibility (below 3 miles): Brier scores")
    for lead_h in LEADS_H:
        case = pooled["low visibility", lead_h]
        ratios["low visibility", lead_h] = ratio = _ratio(case, is_root=False)
        peers = "  ".join(
            f"{name} {_square(case, key):.4f}"
            for name, key in (
                ("climatology", "climatology"), ("persistence", "raw"),
                ("calibrated", "persistence"), ("ours", "ours"),
            )
        )  # fmt: skip
        print(f"  {lead_h} h: {peers}  {_words(ratio)}")
    return ratios


def _tell_bars(ratios: dict[tuple[str, int], tuple[float, ...]]) -> None:
    print()
    for (amount, lead_h), bar in BARS.items():
        ratio = ratios[amount, lead_h][0]
        verdict = "met" if ratio <= bar else "MISSED"
        print(f"bar: {amount} at {lead_h} h at most {bar:.2f}x persistence: {ratio:.3f}, {verdict}")
    worst = max(ratios["low visibility", lead_h][0] for lead_h in range(1, 7))
    verdict = "met" if worst < BELOW_ONE else "MISSED"
    print(f"bar: Brier below calibrated persistence from 1 to 6 h: {worst:.3f} at worst, {verdict}")


def _tell_reliability(pooled: dict[tuple[str, int], Cases]) -> None:
    case = pooled["low visibility", 3]
    print("\nlow visibility in 3 h: how often it came, by what was told")
    for each in reliability(case.told["ours"], case.came):
        print(f"  told {each.told:4.0%}: came {each.rate:4.0%} of {each.cases}")


def _ratio(case: Cases, *, is_root: bool) -> tuple[float, ...]:
    """Give ours by persistence, and the middle 90 % of it when days are drawn anew."""
    days, day = np.unique(case.day, return_inverse=True)
    sums = [
        np.bincount(day, (case.told[name] - case.came) ** 2) for name in ("ours", "persistence")
    ]
    drawn = np.random.default_rng(7).integers(0, len(days), (DRAWS, len(days)))
    ratios = sums[0][drawn].sum(axis=1) / sums[1][drawn].sum(axis=1)
    whole = sums[0].sum() / sums[1].sum()
    found = np.array([whole, *np.quantile(ratios, (0.05, 0.95))])
    return tuple((np.sqrt(found) if is_root else found).tolist())


def _square(case: Cases, name: str) -> float:
    return float(((case.told[name] - case.came) ** 2).mean())


def _words(ratio: tuple[float, ...]) -> str:
    return f"ratio {ratio[0]:.3f} [{ratio[1]:.3f}, {ratio[2]:.3f}]"


def _picture(ratios: dict[tuple[str, int], tuple[float, ...]]) -> str:
    """Draw the ratios by hours ahead: below 1 is better than persistence."""
    width, height, left, bottom = 560.0, 320.0, 50.0, 280.0
    colours = {"temperature": "#c2410c", "wind": "#0b5c86", "low visibility": "#4d7c0f"}

    def x(lead_h: float) -> float:
        return round(left + (lead_h - 0.5) * (width - left - 130.0) / len(LEADS_H), 1)

    def y(ratio: float) -> float:
        return round(bottom - (ratio - 0.4) * (bottom - 20.0) / 0.8, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"',
        ' font-family="sans-serif" font-size="12" role="img">',
        "<title>Nowcast against persistence on days it had not seen</title>",
        f'<rect width="{width:g}" height="{height:g}" fill="white"/>',
    ]
    for tick in (0.4, 0.6, 0.8, 1.0, 1.2):
        stroke = "#334155" if tick == 1.0 else "#e2e8f0"
        parts.append(
            f'<path d="M{left:g},{y(tick)}H{width - 130:g}" stroke="{stroke}"/>'
            f'<text x="{left - 6:g}" y="{y(tick) + 4}" text-anchor="end">{tick:.1f}</text>'
        )
    parts += [
        f'<text x="{x(each)}" y="{bottom + 18:g}" text-anchor="middle">{each} h</text>'
        for each in LEADS_H
    ]
    for number, (amount, colour) in enumerate(colours.items()):
        shown = [(lead_h, ratios[amount, lead_h]) for lead_h in LEADS_H]
        shift = 4.0 * (number - 1)
        line = " ".join(f"{x(lead_h) + shift},{y(ratio[0])}" for lead_h, ratio in shown)
        bars = "".join(f"M{x(h) + shift},{y(low)}V{y(high)}" for h, (_, low, high) in shown)
        end_y = y(shown[-1][1][0]) + 4
        parts.append(
            f'<path d="{bars}" stroke="{colour}" opacity="0.5"/>'
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{x(LEADS_H[-1]) + 12:g}" y="{end_y}" fill="{colour}">{amount}</text>'
        )
    parts.append(
        f'<text x="{left:g}" y="{height - 6:g}">error by that of persistence (Brier by calibrated '
        "persistence); bars: middle 90 %</text></svg>"
    )
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
