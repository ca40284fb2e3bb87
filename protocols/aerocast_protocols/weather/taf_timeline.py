"""What a TAF comes to over time: what prevails, what may come instead, the worst to reckon with.

FM replaces everything; BECMG changes what it names, and while it does the worse of before and after
counts: bad news from its beginning, good news from its end. TEMPO, INTER and PROB are alternatives.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, cast

from aerocast_protocols.weather.metar_report import Cloud, flight_category
from aerocast_protocols.weather.taf_report import (
    Alternative,
    Conditions,
    Taf,
    TafGroup,
    TafPeriod,
)

_STORM_CLOUDS = frozenset({"CB", "TCU"})


def timeline(taf: Taf) -> tuple[TafPeriod, ...]:
    """Give the forecast as periods over which it says one thing, in order, without gaps.

    None of a forecast that was cancelled or is not there.
    """
    first_us, last_us = taf.valid_from_us, taf.valid_to_us
    if first_us is None or last_us is None or taf.cancelled or taf.nil or not taf.groups:
        return ()
    edges = {first_us, last_us}
    for group in taf.groups:
        edges.add(group.from_us)
        edges.add(group.to_us)
    instants = sorted(each for each in edges if first_us <= each <= last_us)
    changes = sorted(
        (group for group in taf.groups if group.kind in {"FM", "BECMG"}),
        key=lambda group: group.from_us,
    )
    alternatives = [group for group in taf.groups if group.kind in {"TEMPO", "INTER", "PROB"}]
    prevailing = _Prevailing(taf.groups[0].conditions, changes)
    return tuple(
        _period(from_us, to_us, prevailing.at(from_us), alternatives)
        for from_us, to_us in pairwise(instants)
    )


def period_at(periods: Sequence[TafPeriod], at_us: int) -> TafPeriod | None:
    """Give the period an instant is in; None before and after the forecast."""
    return next((each for each in periods if each.from_us <= at_us < each.to_us), None)


def worse_of(first: Conditions, second: Conditions) -> Conditions:
    """Take of each element the worse; of weather whatever either has."""
    windy = second if _strongest_kt(second) > _strongest_kt(first) else first
    murky = second if _is_worse(second.visibility_m, first.visibility_m) else first
    cloudy = second if _is_cloudier(second, first) else first
    weather = first.weather
    if second.weather != weather:
        weather += tuple(each for each in second.weather if each not in weather)
    return Conditions(
        wind_direction_deg=windy.wind_direction_deg,
        wind_speed_kt=windy.wind_speed_kt,
        wind_gust_kt=windy.wind_gust_kt,
        visibility_m=murky.visibility_m,
        visibility_qualifier=murky.visibility_qualifier,
        weather=weather,
        clouds=cloudy.clouds,
        ceiling_ft=cloudy.ceiling_ft,
        flight_category=flight_category(murky.visibility_m, cloudy.ceiling_ft),
        wind_shear=first.wind_shear or second.wind_shear,
    )


class _Prevailing:
    """Follows what prevails, from instant to later instant."""

    def __init__(self, base: Conditions, changes: Iterable[TafGroup]) -> None:
        self._settled = _without_ends(base)
        self._to_come = list(changes)[::-1]
        self._under_way: list[TafGroup] = []
        self._now = self._settled

    def at(self, instant_us: int) -> Conditions:
        """Give what prevails at an instant, no earlier than the one asked for before."""
        finished = [group for group in self._under_way if group.to_us <= instant_us]
        is_new = bool(finished)
        for group in finished:
            self._settled = _overlaid(self._settled, group.conditions)
            self._under_way.remove(group)
        while self._to_come and self._to_come[-1].from_us <= instant_us:
            is_new = True
            self._begin(self._to_come.pop(), instant_us)
        if is_new:
            self._now = self._settled
            for group in self._under_way:
                self._now = worse_of(self._now, _overlaid(self._now, group.conditions))
        return self._now

    def _begin(self, group: TafGroup, instant_us: int) -> None:
        if group.kind == "FM":
            self._settled, self._under_way = _without_ends(group.conditions), []
        elif group.to_us <= instant_us:
            self._settled = _overlaid(self._settled, group.conditions)
        else:
            self._under_way.append(group)


def _period(
    from_us: int, to_us: int, prevailing: Conditions, groups: Iterable[TafGroup]
) -> TafPeriod:
    worst = prevailing
    alternatives: list[Alternative] = []
    for group in groups:
        if group.from_us <= from_us < group.to_us:
            conditions = _overlaid(prevailing, group.conditions)
            if group.probability is None:
                worst = worse_of(worst, conditions)
            alternatives.append(
                Alternative(
                    kind=cast("Literal['TEMPO', 'INTER', 'PROB']", group.kind),
                    probability=group.probability,
                    from_us=group.from_us,
                    to_us=group.to_us,
                    conditions=conditions,
                )
            )
    return TafPeriod(
        from_us=from_us,
        to_us=to_us,
        prevailing=prevailing,
        alternatives=tuple(alternatives),
        worst_credible=worst,
    )


def _overlaid(before: Conditions, said: Conditions) -> Conditions:
    """Give conditions with what a group says over them."""
    has_wind = said.wind_speed_kt is not None or said.wind_direction_deg is not None
    wind = said if has_wind else before
    seen = before if said.visibility_m is None else said
    sky = said if said.clouds else before
    return Conditions(
        wind_direction_deg=wind.wind_direction_deg,
        wind_speed_kt=wind.wind_speed_kt,
        wind_gust_kt=wind.wind_gust_kt,
        visibility_m=seen.visibility_m,
        visibility_qualifier=seen.visibility_qualifier,
        weather=_present(said.weather) if said.weather else before.weather,
        clouds=sky.clouds,
        ceiling_ft=sky.ceiling_ft,
        flight_category=flight_category(seen.visibility_m, sky.ceiling_ft),
        wind_shear=said.wind_shear or before.wind_shear,
    )


def _without_ends(said: Conditions) -> Conditions:
    return _overlaid(Conditions(), said)


def _present(weather: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in weather if each != "NSW") if "NSW" in weather else weather


def _strongest_kt(conditions: Conditions) -> float:
    return max(conditions.wind_gust_kt or 0.0, conditions.wind_speed_kt or 0.0)


def _is_worse(visibility_m: float | None, than_m: float | None) -> bool:
    return visibility_m is not None and (than_m is None or visibility_m < than_m)


def _is_cloudier(conditions: Conditions, than: Conditions) -> bool:
    ceiling_ft, than_ft = conditions.ceiling_ft, than.ceiling_ft
    if ceiling_ft != than_ft:
        return _is_worse(ceiling_ft, than_ft)
    return _is_stormy(conditions.clouds) and not _is_stormy(than.clouds)


def _is_stormy(clouds: Iterable[Cloud]) -> bool:
    return any(cloud.type in _STORM_CLOUDS for cloud in clouds)
