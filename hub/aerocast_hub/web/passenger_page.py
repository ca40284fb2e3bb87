"""A passenger's advice, worded: what stands on the page, in their language and their local time."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from aerocast_hub.orientation.guidance import Advice, BagAdvice
from aerocast_hub.orientation.wording import Phrase, say
from aerocast_hub.web.labels import LABELS
from aerocast_hub.web.views import Tone
from aerocast_hub.web.wording import clock

# The reclaim belt matters once the flight has left; before that, the gate does.
_BEFORE = frozenset({"unknown", "departure"})
# The page shows these as figures, in large type.
_SHOWN_LARGE = frozenset({"step_first_window", "step_last_by"})


class PassengerBag(msgspec.Struct, frozen=True, kw_only=True):
    """One bag's line."""

    state: str
    tone: Tone
    words: str


class PassengerPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a passenger reads; all times are local, ready to show."""

    flight: str | None
    headline: str
    steps: tuple[str, ...]
    way: tuple[str, ...]
    reasons: tuple[str, ...]
    bags: tuple[PassengerBag, ...]
    shows_belt: bool
    shows_gate: bool
    updated: str
    belt: str | None = None
    gate: str | None = None
    first_from: str | None = None
    first_to: str | None = None
    last_by: str | None = None


def passenger_page(advice: Advice, language: str, time_zone: str | None) -> PassengerPage:
    """Word a passenger's advice.

    Parameters
    ----------
    language
        One of the catalogue's.
    time_zone
        IANA name of the place the passenger is at; None or unknown: UTC, and it says so.
    """
    zone = _zone(time_zone)

    def worded(phrase: Phrase) -> str:
        return say(language, phrase.key, phrase.values, time_zone, advice.at_us)

    def shown(at_us: int) -> str:
        return clock(at_us, zone) + (" UTC" if zone is UTC else "")

    gate = advice.headline.values.get("gate")
    first, last = advice.first_bag, advice.last_bag
    return PassengerPage(
        flight=advice.flight,
        headline=worded(advice.headline),
        steps=tuple(worded(each) for each in advice.steps if each.key not in _SHOWN_LARGE),
        way=tuple(worded(each) for each in advice.way),
        reasons=tuple(worded(each) for each in (*advice.reasons, advice.weather)),
        bags=tuple(_bag(each, language, worded(each.phrase)) for each in advice.bags),
        shows_belt=advice.phase not in _BEFORE,
        shows_gate=advice.phase == "departure" and gate is not None,
        updated=shown(advice.at_us),
        belt=advice.belt,
        gate=str(gate) if gate is not None else None,
        first_from=clock(first.p10_us, zone) if first else None,
        first_to=shown(first.p90_us) if first else None,
        last_by=shown(last.p90_us) if last else None,
    )


def _bag(bag: BagAdvice, language: str, words: str) -> PassengerBag:
    tone: Tone = "good" if bag.last_seen_us is not None else "idle"
    state = LABELS[language].states[bag.state]
    return PassengerBag(state=state, tone=tone, words=words)


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
