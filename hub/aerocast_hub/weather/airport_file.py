"""Reads what an airport says about itself: a TOML file of limits."""

import tomllib
from pathlib import Path

import msgspec

from aerocast_hub.settings import SettingsError
from aerocast_hub.weather.limits import AirportSettings

LARGEST_FILE = 8 * 1024 * 1024


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    airports: tuple[AirportSettings, ...] = msgspec.field(name="airport", default=())


def read_airports(file: Path | None) -> list[AirportSettings]:
    """Read the file; no airports without one.

    Raises
    ------
    SettingsError
        It cannot be read or used, or names an airport or a site twice.
    """
    if file is None:
        return []
    try:
        read = msgspec.convert(tomllib.loads(_text(file)), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{file}: {error}") from error
    airports: dict[str, AirportSettings] = {}
    sites: set[str] = set()
    for each in read.airports:
        if each.airport in airports:
            raise SettingsError(f"{file}: airport {each.airport} comes twice")
        twice = sites & set(each.every_site)
        if twice:
            raise SettingsError(f"{file}: site {min(twice)} belongs to two airports")
        sites |= set(each.every_site)
        airports[each.airport] = each
    return [airports[code] for code in sorted(airports)]


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise SettingsError(f"{file}: over {LARGEST_FILE} bytes")
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
