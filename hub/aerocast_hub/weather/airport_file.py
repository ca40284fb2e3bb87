"""Reads what an airport says about itself: a TOML file of limits, a CSV file of runways."""

import csv
import tomllib
from collections import defaultdict
from pathlib import Path

import msgspec

from aerocast_hub.settings import SettingsError
from aerocast_hub.weather.limits import AirportSettings, Runway

LARGEST_FILE = 8 * 1024 * 1024
_RUNWAY_COLUMNS = ("airport", "runway", "true_bearing_deg")


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    airports: tuple[AirportSettings, ...] = msgspec.field(name="airport", default=())


def read_airports(file: Path | None, runways: Path | None = None) -> list[AirportSettings]:
    """Read both files; airports that have runways alone get default limits.

    Raises
    ------
    SettingsError
        One cannot be read or used, or names an airport or a site twice.
    """
    airports = {} if file is None else _airports(file)
    for code, found in ({} if runways is None else _runways(runways)).items():
        known = airports.get(code) or msgspec.convert({"airport": code}, AirportSettings)
        airports[code] = msgspec.structs.replace(known, runways=known.runways or found)
    return [airports[code] for code in sorted(airports)]


def _airports(file: Path) -> dict[str, AirportSettings]:
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
    return airports


def _runways(file: Path) -> dict[str, tuple[Runway, ...]]:
    rows = csv.DictReader(_text(file).splitlines())
    missing = [name for name in _RUNWAY_COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise SettingsError(f"{file}: column {missing[0]} is missing")
    found: dict[str, list[Runway]] = defaultdict(list)
    for number, row in enumerate(rows, start=2):
        try:
            code, name, bearing = ((row[each] or "").strip() for each in _RUNWAY_COLUMNS)
            runway = {"name": name.upper(), "true_bearing_deg": float(bearing) % 360}
            found[code.upper()].append(msgspec.convert(runway, Runway))
        except (ValueError, msgspec.ValidationError) as error:
            raise SettingsError(f"{file}:{number}: {error}") from error
    return {code: tuple(runways) for code, runways in found.items()}


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise SettingsError(f"{file}: over {LARGEST_FILE} bytes")
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
