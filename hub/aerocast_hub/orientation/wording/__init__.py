"""Sentences for passengers: whole ones, looked up by key, never put together from pieces.

One TOML file a language holds ICU messages by key, and under ``[page]`` the fixed words of pages.
Values whose name ends in ``_us`` are instants: they fill the gap of the same name without ``_us``
as local time, on the 24-hour clock of boarding passes and airports' screens, with the day where it
is not today. Numbers are written in Latin digits in Arabic too, as gates and bag tags are.
"""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from icu4py.messageformat import MessageFormat

from aerocast_hub.orientation.wording.patterns import PatternError, gaps_of

LANGUAGES = ("en", "fr", "es", "de", "ar")
DEFAULT_LANGUAGE = "en"

# Whose plural rules and figures a language's messages are formatted by (BCP 47 with extension u).
_LOCALES = {"ar": "ar-u-nu-latn"}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Around what is filled in: in a line from right to left, "B12 - 14:32" keeps its order (UAX #9).
_ISOLATE, _ISOLATED = "\u2068", "\u2069"


class Name(msgspec.Struct, frozen=True, omit_defaults=True):
    """What something is called: as its owner writes it, and in the languages they know."""

    text: str
    translations: dict[str, str] = {}

    def in_language(self, language: str) -> str:
        """Give the name in a language; as written where nobody translated it."""
        return self.translations.get(language, self.text)


Value = str | int | Name


class Phrase(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of the catalogue and what stands in its gaps."""

    key: str
    values: dict[str, Value] = {}


class Message:
    """One sentence of one language, made ready to be filled.

    Attributes
    ----------
    pattern
        As the catalogue has it.
    gaps
        What it asks for, by name.
    """

    def __init__(self, pattern: str, language: str) -> None:
        self.pattern: Final = pattern
        self.gaps: Final = gaps_of(pattern)
        self._format: Final = MessageFormat(pattern, _LOCALES.get(language, language)).format

    def fill(self, values: Mapping[str, str | int]) -> str:
        """Give the sentence.

        Raises
        ------
        KeyError
            A gap has no value.
        """
        return self._format({name: values[name] for name in self.gaps})


class Catalogue(msgspec.Struct, frozen=True):
    """A language's sentences by key, and the words of its pages.

    Attributes
    ----------
    isolates
        It is written from right to left: what is filled in keeps its own order.
    """

    sentences: dict[str, Message]
    page: dict[str, str | dict[str, str]]
    isolates: bool


@cache
def catalogue(language: str) -> Catalogue:
    """Read a language's catalogue.

    Raises
    ------
    KeyError
        There is no such language.
    PatternError
        A message cannot be read; says which.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    text = files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    read = tomllib.loads(text)
    page = msgspec.convert(read.pop("page"), dict[str, str | dict[str, str]])
    sentences: dict[str, Message] = {}
    for key, pattern in msgspec.convert(read, dict[str, str]).items():
        try:
            sentences[key] = Message(pattern, language)
        except ValueError as error:
            raise PatternError(f"{language}.toml, {key}: {error}") from error
    return Catalogue(sentences, page, isolates=page.get("direction") == "rtl")


def choose_language(asked: str | None) -> str:
    """Choose from an Accept-Language header (RFC 9110 §12.5.4) or a bare code; English else."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate((asked or "")[:200].split(",")):
        code, _, parameters = part.partition(";")
        language = code.strip().lower().partition("-")[0]
        if language in LANGUAGES:
            ranked.append((-_quality(parameters), place, language))
    ranked.sort()
    return ranked[0][2] if ranked and ranked[0][0] < 0 else DEFAULT_LANGUAGE


def say(
    language: str,
    key: str,
    values: Mapping[str, Value],
    time_zone: str | None = None,
    now_us: int | None = None,
) -> str:
    """Give a sentence.

    Parameters
    ----------
    language
        One of `LANGUAGES`.
    key
        Of the catalogue.
    values
        What goes into the gaps.
    time_zone
        IANA name; None or an unknown one shows UTC and says so.
    now_us
        UTC microseconds: times of another local day than this one's name their day; None names
        none.

    Raises
    ------
    KeyError
        No such key, or a gap has no value.
    """
    found = catalogue(language)
    message = found.sentences[key]
    filled: dict[str, str | int] = {}
    until_us = values.get("to_us")
    for name, value in values.items():
        if name == "from_us" and isinstance(value, int) and isinstance(until_us, int):
            text, _ = tell_span(language, value, until_us, time_zone, now_us)
            filled["from"] = _isolated(text) if found.isolates else text
        elif name.endswith("_us") and isinstance(value, int):
            text = tell_time(language, value, time_zone, now_us)
            filled[name.removesuffix("_us")] = _isolated(text) if found.isolates else text
        elif isinstance(value, int):
            filled[name] = value
        else:
            text = value.in_language(language) if isinstance(value, Name) else value
            filled[name] = _isolated(text) if found.isolates else text
    return message.fill(filled)


def tell_time(
    language: str, at_us: int, time_zone: str | None = None, now_us: int | None = None
) -> str:
    """Tell a time of day: ``14:32``, ``14:32 (Monday)``, ``14:32 UTC``; see `say`."""
    zone = _zone(time_zone)
    local = datetime.fromtimestamp(at_us / 1e6, zone)
    key = "clock_utc" if zone is UTC else "clock"
    if now_us is not None and datetime.fromtimestamp(now_us / 1e6, zone).date() != local.date():
        key = f"{key}_on_day"
    shown = {"clock": f"{local:%H:%M}", "day": _DAYS[local.weekday()]}
    return catalogue(language).sentences[key].fill(shown)


def tell_span(
    language: str, from_us: int, to_us: int, time_zone: str | None = None, now_us: int | None = None
) -> tuple[str, str]:
    """Tell from when until when; the day of both is named once, at the end; see `say`."""
    until = tell_time(language, to_us, time_zone, now_us)
    since = tell_time(language, from_us, time_zone, now_us)
    if since == until or tell_time(language, from_us, time_zone, to_us) != tell_time(
        language, from_us, time_zone
    ):
        return since, until
    return tell_time(language, from_us, time_zone), until


def _isolated(text: str) -> str:
    return f"{_ISOLATE}{text}{_ISOLATED}"


@cache
def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
