"""A passenger's advice, worded: what stands on the page, in their language and their local time."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from aerocast_hub.live.audience import mark_of
from aerocast_hub.orientation.guidance import Advice, BagAdvice, Phase
from aerocast_hub.orientation.wording import Phrase, say, tell_span, tell_time
from aerocast_hub.web.labels import LABELS
from aerocast_hub.web.views import Tone

# Where a large sign says where to go, and which.
_TO_GATE: frozenset[Phase] = frozenset({"departure", "connecting"})
_TO_BELT: frozenset[Phase] = frozenset({"in_flight", "arriving", "ramp_closed", "at_belt", "done"})
# Where the weather changes nothing of what to do.
_ANY_WEATHER: frozenset[Phase] = frozenset({"unknown", "done", "desk", "no_news"})
# The page shows these as figures, in large type.
_BAG_TIMES = frozenset({"step_first_window", "step_last_by"})


class PassengerBag(msgspec.Struct, frozen=True, kw_only=True):
    """One bag's line; ``cause`` says why it may be late."""

    state: str
    tone: Tone
    words: str
    cause: str | None = None


class PassengerPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a passenger reads; all times are local, ready to show.

    Attributes
    ----------
    sign
        What the large sign names: a belt or a gate; None shows none.
    place
        The belt or the gate; None while nobody knows it.
    flight, onward
        The flight they come with, or leave with, and the one they change to.
    """

    flight: str | None
    headline: str
    steps: tuple[str, ...]
    way: tuple[str, ...]
    reasons: tuple[str, ...]
    unknown: tuple[str, ...]
    bags: tuple[PassengerBag, ...]
    updated: str
    sign: Literal["belt", "gate"] | None = None
    place: str | None = None
    onward: str | None = None
    boarding_closes: str | None = None
    first_from: str | None = None
    first_to: str | None = None
    last_by: str | None = None

    @property
    def mark(self) -> str:
        """Give a mark that stays while nothing but the time of looking changes."""
        return mark_of(msgspec.json.encode(msgspec.structs.replace(self, updated="")))


def passenger_page(advice: Advice, language: str, time_zone: str | None) -> PassengerPage:
    """Word a passenger's advice.

    Parameters
    ----------
    language
        One of the catalogue's.
    time_zone
        IANA name of the place the passenger is at; None or unknown: UTC, and it says so.
    """

    def worded(phrase: Phrase) -> str:
        return say(language, phrase.key, phrase.values, time_zone, advice.at_us)

    def all_worded(phrases: Iterable[Phrase]) -> tuple[str, ...]:
        return tuple(map(worded, phrases))

    def shown(at_us: int | None) -> str | None:
        return None if at_us is None else tell_time(language, at_us, time_zone, advice.at_us)

    def bag_line(bag: BagAdvice) -> PassengerBag:
        state = LABELS[language].states[bag.trouble or bag.state]
        cause = None if bag.cause is None else worded(bag.cause)
        return PassengerBag(state=state, tone=_tone(bag), words=worded(bag.phrase), cause=cause)

    first, last = advice.first_bag, advice.last_bag
    sign, place = _sign(advice)
    span = None
    if first is not None:
        span = tell_span(language, first.p10_us, first.p90_us, time_zone, advice.at_us)
    closes = _shows_boarding(advice)
    large = _BAG_TIMES | {"step_boarding_closes"} if closes else _BAG_TIMES
    return PassengerPage(
        flight=advice.flight,
        onward=advice.onward,
        headline=worded(advice.headline),
        steps=all_worded(each for each in advice.steps if each.key not in large),
        way=all_worded(advice.way),
        reasons=all_worded(_reasons(advice)),
        unknown=all_worded(advice.unknown),
        bags=tuple(map(bag_line, advice.bags)),
        updated=tell_time(language, advice.at_us, time_zone),
        sign=sign,
        place=place,
        boarding_closes=shown(advice.boarding_closes_us) if closes else None,
        first_from=span[0] if span else None,
        first_to=span[1] if span else None,
        last_by=shown(last.p90_us) if last else None,
    )


def _reasons(advice: Advice) -> tuple[Phrase, ...]:
    if advice.phase in _ANY_WEATHER:
        return advice.reasons
    return (*advice.reasons, advice.weather)


def _shows_boarding(advice: Advice) -> bool:
    """Say whether the large time is that of boarding: where it is to come, and they go to it."""
    closes_us = advice.boarding_closes_us
    return advice.phase in _TO_GATE and closes_us is not None and advice.at_us < closes_us


def _sign(advice: Advice) -> tuple[Literal["belt", "gate"] | None, str | None]:
    """Choose what stands in the largest type: the one place to go."""
    if advice.phase in _TO_GATE:
        return ("gate", advice.gate) if advice.gate is not None else (None, None)
    comes_later = advice.bags and all(bag.trouble is not None for bag in advice.bags)
    if advice.phase in _TO_BELT and advice.onward is None and not comes_later:
        return "belt", advice.belt
    return None, None


def _tone(bag: BagAdvice) -> Tone:
    if bag.trouble is not None:
        return "warn"
    return "idle" if bag.last_seen_us is None else "good"
