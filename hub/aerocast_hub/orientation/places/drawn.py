"""Maps drawn by hand, in TOML: for airports without a survey, and for trying things out.

A place stands at ``at = [east_m, north_m]``, anywhere on one plan; ways without ``metres`` are as
long as the straight line. A name is text, or a table of texts by language.
"""

import tomllib
from collections.abc import Callable
from math import cos, radians
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from aerocast_hub.importing import RefusedRow, UnusableInputError, WrongValueError
from aerocast_hub.orientation.places.place_map import (
    METRES_PER_DEG,
    Facility,
    Level,
    MapBuilder,
    Mode,
    Place,
    PlaceMap,
    Way,
)
from aerocast_hub.orientation.wording import DEFAULT_LANGUAGE, Name
from aerocast_hub.schedule import read_airport

Positive = Annotated[float, msgspec.Meta(ge=0)]
Names = str | dict[str, str]
Made = TypeVar("Made", bound=msgspec.Struct)


class DrawnLevel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of ``[[level]]``."""

    id: str
    index: float
    name: Names | None = None


class DrawnFacility(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of ``[[facility]]``."""

    id: str
    kind: str
    name: Names | None = None


class DrawnPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of ``[[place]]``."""

    id: str
    level: str
    kind: str = "point"
    code: str | None = None
    name: Names | None = None
    at: tuple[float, float] | None = None


class DrawnWay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of ``[[way]]``; it leads both ways but for ``one_way = true``."""

    origin: str = msgspec.field(name="from")
    destination: str = msgspec.field(name="to")
    mode: Mode = "walkway"
    metres: Positive | None = None
    seconds: Positive | None = None
    steps: int | None = None
    slope: float | None = None
    width_m: Positive | None = None
    wheelchair: bool | None = None
    one_way: bool = False
    facility: str | None = None
    sign: Names | None = None
    sign_back: Names | None = None


class DrawnMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file, its tables not read yet.

    Attributes
    ----------
    origin
        Latitude and longitude of ``at = [0, 0]``, degrees.
    """

    airport: str
    origin: tuple[float, float] | None = None
    level: list[dict[str, object]] = []
    facility: list[dict[str, object]] = []
    place: list[dict[str, object]] = []
    way: list[dict[str, object]] = []


def read_drawn(file: Path) -> tuple[PlaceMap, list[RefusedRow]]:
    """Read a file; tables that cannot be taken in are named, the others are taken.

    Raises
    ------
    UnusableInputError
        It is no TOML, or no map.
    OSError
        It cannot be read.
    """
    try:
        drawn = msgspec.convert(tomllib.loads(file.read_text("utf-8")), DrawnMap)
        airport = read_airport("airport", drawn.airport)
    except (ValueError, RecursionError) as error:
        raise UnusableInputError(f"{file}: {str(error).replace('`', '')}") from None
    builder = MapBuilder("drawn")
    builder.airport = airport
    refused: list[RefusedRow] = []

    def tables(
        name: str, found: list[dict[str, object]], made: type[Made], add: Callable[[Made], object]
    ) -> None:
        for number, table in enumerate(found, start=1):
            try:
                add(msgspec.convert(table, made))
            except (msgspec.ValidationError, WrongValueError) as error:
                why = str(error).replace("`", "")
                refused.append(RefusedRow(f"{name} {number}: {why}", _shown(table)))

    tables("level", drawn.level, DrawnLevel, lambda each: builder.add_level(_level(each)))
    tables(
        "facility",
        drawn.facility,
        DrawnFacility,
        lambda each: builder.add_facility(_facility(each)),
    )
    tables(
        "place", drawn.place, DrawnPlace, lambda each: builder.add_place(_place(each, drawn.origin))
    )
    tables("way", drawn.way, DrawnWay, lambda each: _add_way(builder, each))
    return builder.build(), refused


def _level(level: DrawnLevel) -> Level:
    return Level(id=level.id, index=level.index, name=_name(level.name))


def _facility(facility: DrawnFacility) -> Facility:
    return Facility(id=facility.id, kind=facility.kind, name=_name(facility.name))


def _place(place: DrawnPlace, origin: tuple[float, float] | None) -> Place:
    latitude_deg = longitude_deg = None
    if place.at is not None:
        from_deg, east_deg = origin or (0.0, 0.0)
        east_m, north_m = place.at
        latitude_deg = from_deg + north_m / METRES_PER_DEG
        longitude_deg = east_deg + east_m / (METRES_PER_DEG * cos(radians(from_deg)))
    return Place(
        id=place.id,
        kind=place.kind,
        name=_name(place.name),
        code=place.code,
        level=place.level,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
    )


def _add_way(builder: MapBuilder, way: DrawnWay) -> Way:
    made = Way(
        id=f"{way.mode} {way.origin} - {way.destination}",
        origin=way.origin,
        destination=way.destination,
        mode=way.mode,
        length_m=way.metres,
        seconds=way.seconds,
        stairs=way.steps,
        slope=way.slope,
        min_width_m=way.width_m,
        wheelchair=way.wheelchair,
        facility=way.facility,
        sign=_name(way.sign),
    )
    return builder.add_way(made, is_two_way=not way.one_way, back_sign=_name(way.sign_back))


def _name(names: Names | None) -> Name | None:
    if names is None:
        return None
    if isinstance(names, str):
        return Name(names)
    if not names:
        raise WrongValueError("name", names, "a text, or texts by language")
    return Name(names.get(DEFAULT_LANGUAGE) or next(iter(names.values())), names)


def _shown(table: dict[str, object]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in table.items())[:500]
