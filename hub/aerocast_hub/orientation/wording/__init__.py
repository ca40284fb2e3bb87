"""Sentences for passengers: whole ones, looked up by key, never put together from pieces.

One TOML file a language. A key holds a sentence with gaps such as ``{belt}``, or, where a number
decides the form, ``{ one = "...", other = "..." }`` chosen by ``minutes``. Values whose name ends
in ``_us`` are instants: they fill the gap of the same name without ``_us`` as local time.
"""

import string
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

LANGUAGES = ("en", "fr")
DEFAULT_LANGUAGE = "en"


class Forms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence's forms: with one of the things counted, and with any other number."""

    one: str
    other: str


Catalogue = Mapping[str, Forms]


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


@cache
def catalogue(language: str) -> Catalogue:
    """Read a language's sentences.

    Raises
    ------
    KeyError
        There is no such language.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    text = files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    sentences = msgspec.convert(tomllib.loads(text), dict[str, str | Forms])
    return {
        key: Forms(each, each) if isinstance(each, str) else each for key, each in sentences.items()
    }


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


def say(language: str, key: str, values: Mapping[str, Value], time_zone: str | None = None) -> str:
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

    Raises
    ------
    KeyError
        No such key, or a gap has no value.
    """
    forms = catalogue(language)[key]
    counted = values.get("minutes")
    sentence = forms.one if _is_one(language, counted) else forms.other
    filled = {
        name.removesuffix("_us"): _clock(value, time_zone)
        if name.endswith("_us") and isinstance(value, int)
        else _filling(value, language)
        for name, value in values.items()
    }
    return sentence.format_map(filled)


def gaps(sentence: str) -> frozenset[str]:
    """Name the gaps of a sentence."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(sentence) if name)


def _filling(value: Value, language: str) -> str:
    return value.in_language(language) if isinstance(value, Name) else str(value)


def _is_one(language: str, counted: Value | None) -> bool:
    """Say whether the form for one is right: in French that of nought too (CLDR plural rules)."""
    return counted == 1 or (language == "fr" and counted == 0)


def _clock(at_us: int, time_zone: str | None) -> str:
    zone: tzinfo = UTC
    if time_zone is not None:
        try:
            zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            zone = UTC
    local = datetime.fromtimestamp(at_us / 1e6, zone)
    return local.strftime("%H:%M UTC" if zone is UTC else "%H:%M")


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
