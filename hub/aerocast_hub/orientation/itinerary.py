"""A route as it is handed out: seconds, steps and sentences in one language. Pure."""

import msgspec

from aerocast_hub.orientation.directions import Directions, Step
from aerocast_hub.orientation.places.place_map import Mode
from aerocast_hub.orientation.routes import Route
from aerocast_hub.orientation.wording import Name, Phrase, say


class SaidStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do; see `directions.Step`. ``key`` is the sentence's in the catalogues."""

    kind: Mode
    key: str
    text: str
    seconds: float
    wait_s: float
    metres: int | None
    from_level: str | None
    to_level: str | None
    landmark: str | None
    facility: str | None
    is_accessible: bool


class NoWay(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no way: ``closed``, ``profile`` or ``apart``, what is in the way, a sentence."""

    reason: str
    obstacles: tuple[str, ...]
    text: str


class Itinerary(msgspec.Struct, frozen=True, kw_only=True):
    """A route; ``seconds`` is None when there is none, and ``unreachable`` says why."""

    seconds: float | None
    profile: str
    steps: tuple[SaidStep, ...] = ()
    unreachable: NoWay | None = None


def itinerary(route: Route, directions: Directions, profile: str, language: str) -> Itinerary:
    """Put a route into a language."""
    unreachable = None
    if route.unreachable is not None:
        unreachable = NoWay(
            reason=route.unreachable.reason,
            obstacles=route.unreachable.obstacles,
            text=_text(directions.why_not(route.unreachable), language),
        )
    return Itinerary(
        seconds=None if route.seconds is None else round(route.seconds, 3),
        profile=profile,
        steps=tuple(_said(step, language) for step in directions.steps(route)),
        unreachable=unreachable,
    )


def _said(step: Step, language: str) -> SaidStep:
    return SaidStep(
        kind=step.kind,
        key=step.phrase.key,
        text=_text(step.phrase, language),
        seconds=round(step.seconds, 3),
        wait_s=round(step.wait_s, 3),
        metres=step.metres,
        from_level=step.from_level,
        to_level=step.to_level,
        landmark=_in(step.landmark, language),
        facility=step.facility,
        is_accessible=step.is_accessible,
    )


def _text(phrase: Phrase, language: str) -> str:
    return say(language, phrase.key, phrase.values)


def _in(name: Name | None, language: str) -> str | None:
    return None if name is None else name.in_language(language)
