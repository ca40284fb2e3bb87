"""The page of an airport's next hours: what is foretold, how sure it is, how good it has been."""

import time
from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromPath

from aerocast_hub.airports import airport
from aerocast_hub.auth.permissions import NO_ROWS
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.weather.forecast_pairs import LeadVerification
from aerocast_hub.weather.nowcast_issue import NowcastHour
from aerocast_hub.weather.nowcast_store import Verification, nowcast_at, past_of, verify
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT
from aerocast_hub.weather.station_history import HOUR_US, Observed
from aerocast_hub.weather.verification import AmountScores
from aerocast_hub.web.charts import Axis, Chart, Points, chart
from aerocast_hub.web.templates import render
from aerocast_hub.web.wording import clock

SEEN_H = 6
VERIFIED_DAYS = 14.0
LEAST_IN_BIN = 10  # chances told less often say nothing of how often it comes
MISSING = {
    "not_followed": "No report of this airport was kept. Nowcasts are made of airports where a "
    "gateway stands.",
    "past_too_short": "The station's past is too short to learn from.",
    "no_fresh_report": "There is no fresh report to start from.",
}


@get(
    "/weather/{station:str}",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "weather:read"} | NO_ROWS,
)
async def weather_page(
    station: FromPath[str],
    request: Request[Principal, Any, State],
    database: NamedDependency[Database],
) -> str:
    """Show an airport's next six hours, and how good such forecasts have been."""
    now_us = time.time_ns() // 1000
    async with database.reading() as session:
        told = await nowcast_at(session, station, now_us)
        seen = await past_of(session, told.station, now_us - SEEN_H * HOUR_US, now_us)
        verified = await verify(session, station, now_us, VERIFIED_DAYS)
    place = airport(told.station)
    hours = [] if told.nowcast is None else told.nowcast.hours
    return render(
        "weather.html",
        told=told,
        hours=hours,
        name=None if place is None else place.name,
        missing=MISSING.get(told.missing or ""),
        charts=hour_charts(seen, hours, now_us),
        verified=verified,
        verified_days=round(VERIFIED_DAYS),
        score_charts=score_charts(verified),
        notice=NOT_FOR_FLIGHT,
        now_us=now_us,
        user=request.user.name,
    )


def hour_charts(seen: Sequence[Observed], hours: Sequence[NowcastHour], now_us: int) -> list[Chart]:
    """Draw what was observed and what is foretold: temperature, wind, low visibility."""
    if not hours:
        return []
    columns = _columns(now_us)
    temperature = chart(
        Axis("Temperature", "°C", columns),
        {
            "observed": [(e.observed_at_us, e.temperature_c) for e in seen
                         if e.temperature_c is not None],
            "foretold": [(e.valid_at_us, e.forecast.temperature_c) for e in hours
                         if e.forecast.temperature_c is not None],
        },
        band=[(e.valid_at_us, e.temperature_range.low, e.temperature_range.high) for e in hours
              if e.temperature_range is not None],
    )  # fmt: skip
    wind = chart(
        Axis("Wind speed", "kt", columns, lowest=0.0, highest=10.0),
        {
            "observed": [(e.observed_at_us, e.wind_speed_kt) for e in seen
                         if e.wind_speed_kt is not None],
            "TAF": [(e.valid_at_us, e.taf.wind_speed_kt) for e in hours
                    if e.taf is not None and e.taf.wind_speed_kt is not None],
            "foretold": [(e.valid_at_us, e.forecast.wind_speed_kt) for e in hours
                         if e.forecast.wind_speed_kt is not None],
        },
        band=[(e.valid_at_us, e.wind_speed_range.low, e.wind_speed_range.high) for e in hours
              if e.wind_speed_range is not None],
    )  # fmt: skip
    chance = chart(
        Axis("Chance of less than 3 miles", "%", columns, 0.0, 1.0, percent=True),
        {},
        bars=[(e.valid_at_us, e.forecast.low_visibility) for e in hours
              if e.forecast.low_visibility is not None],
    )  # fmt: skip
    return [each for each in (temperature, wind, chance) if each is not None]


def score_charts(verified: Verification) -> list[Chart]:
    """Draw how the error grows with the hours ahead, and how reliable chances were."""
    leads = verified.scores.leads
    if not leads:
        return []
    columns = [(float(each.lead_h), f"{each.lead_h} h") for each in leads]

    def errors(title: str, unit: str, amount: str) -> Chart | None:
        curves = {
            label: _rmses(leads, amount, who)
            for label, who in (
                ("climatology", "climatology"), ("persistence", "persistence"),
                ("TAF", "taf"), ("foretold", "forecast"),
            )
        }  # fmt: skip
        return chart(Axis(title, unit, columns, lowest=0.0), curves)

    found = [
        errors("Error of temperature, by hours ahead", "°C", "temperature"),
        errors("Error of wind speed, by hours ahead", "kt", "wind_speed"),
    ]
    enough = [each for each in verified.scores.reliability if each.cases >= LEAST_IN_BIN]
    if any(each.rate for each in enough):
        shares = [(each / 4, f"{25 * each} %") for each in range(5)]
        came = [(each.told, each.rate) for each in enough]
        axis = Axis(
            "Low visibility: told, and how often it came", "%", shares, 0.0, 1.0, percent=True
        )
        found.append(chart(axis, {"perfect": [(0.0, 0.0), (1.0, 1.0)], "foretold": came}))
    return [each for each in found if each is not None]


def _rmses(leads: Sequence[LeadVerification], amount: str, who: str) -> Points:
    found: list[tuple[float, float]] = []
    for lead in leads:
        scores: dict[str, AmountScores] = getattr(lead, amount)
        if who in scores:
            found.append((float(lead.lead_h), scores[who].rmse))
    return found


def _columns(now_us: int) -> list[tuple[float, str]]:
    every = range(-SEEN_H, SEEN_H + 1, 2)
    return [
        (float(now_us + each * HOUR_US), clock(now_us + each * HOUR_US) if each else "now")
        for each in every
    ]
