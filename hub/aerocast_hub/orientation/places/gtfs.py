"""Maps from GTFS-Pathways: levels, stops, pathways, translations and facilities of a folder.

GTFS Schedule Reference, revision of September 2024, ``stops.txt``, ``pathways.txt``,
``levels.txt``, ``translations.txt``; ``facilities.txt`` and the columns ``platform_name``,
``facility_id``, ``wheelchair_length`` and ``wheelchair_traversal_time`` are those of the feed of
Boston's MBTA.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from aerocast_hub.importing import RefusedRow, UnusableInputError, WrongValueError, read_rows
from aerocast_hub.orientation.places.place_map import (
    MODES,
    Facility,
    Level,
    MapBuilder,
    Place,
    PlaceMap,
    Way,
)
from aerocast_hub.orientation.wording import Name

NotNegative = Annotated[float, msgspec.Meta(ge=0)]
KINDS = ("platform", "station", "entrance", "point", "platform")  # by location_type
BOARDING_AREA = 4
MOST_STEPS = 10_000


class LevelLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of levels.txt."""

    level_id: str
    level_index: float
    level_name: str | None = None


class StopLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of stops.txt."""

    stop_id: str
    stop_name: str | None = None
    platform_code: str | None = None
    platform_name: str | None = None
    stop_lat: float | None = None
    stop_lon: float | None = None
    level_id: str | None = None
    location_type: Annotated[int, msgspec.Meta(ge=0, le=4)] = 0
    parent_station: str | None = None


class PathwayLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of pathways.txt."""

    pathway_id: str
    from_stop_id: str
    to_stop_id: str
    pathway_mode: Annotated[int, msgspec.Meta(ge=1, le=len(MODES))]
    is_bidirectional: Literal[0, 1]
    length: NotNegative | None = None
    traversal_time: NotNegative | None = None
    stair_count: Annotated[int, msgspec.Meta(ge=-MOST_STEPS, le=MOST_STEPS)] | None = None
    max_slope: float | None = None
    min_width: NotNegative | None = None
    signposted_as: str | None = None
    reversed_signposted_as: str | None = None
    facility_id: str | None = None
    wheelchair_length: NotNegative | None = None
    wheelchair_traversal_time: NotNegative | None = None


class FacilityLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of facilities.txt."""

    facility_id: str
    facility_type: str
    facility_short_name: str | None = None


class TranslationLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of translations.txt: by record, or by the text itself."""

    table_name: str
    field_name: str
    language: str
    translation: str
    record_id: str | None = None
    field_value: str | None = None


Row = TypeVar("Row", bound=msgspec.Struct)


def read_gtfs(folder: Path) -> tuple[PlaceMap, list[RefusedRow]]:
    """Read a folder; lines that cannot be taken in are named, the others are taken.

    Raises
    ------
    UnusableInputError
        A file is missing: ``stops.txt``, ``pathways.txt``, or ``levels.txt`` while stops are on
        levels; or no line of one can be read.
    OSError
        A file cannot be read.
    """
    reading = _Reading(folder)
    for name in ("stops.txt", "pathways.txt"):
        if not (folder / name).is_file():
            raise UnusableInputError(f"{folder}: {name} is missing")
    reading.rows("translations.txt", TranslationLine, reading.add_translation)
    reading.rows("facilities.txt", FacilityLine, reading.add_facility)
    reading.rows("levels.txt", LevelLine, reading.add_level)
    reading.rows("stops.txt", StopLine, reading.add_stop)
    if reading.uses_levels and not (folder / "levels.txt").is_file():
        raise UnusableInputError(f"{folder}: levels.txt is missing, and stops are on levels")
    reading.rows("pathways.txt", PathwayLine, reading.add_pathway)
    reading.join_boarding_areas()
    return reading.builder.build(), reading.refused


class _Reading:
    """What has been read so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_record: dict[tuple[str, str, str], dict[str, str]] = {}
        self._by_text: dict[tuple[str, str, str], dict[str, str]] = {}
        self._boarding_areas: list[tuple[str, str]] = []
        self.builder = MapBuilder("gtfs")
        self.refused: list[RefusedRow] = []
        self.uses_levels = False

    def rows(self, name: str, row_type: type[Row], add: Callable[[Row], object]) -> None:
        """Read a file, when it is there.

        Raises
        ------
        UnusableInputError
            None of its lines can be taken in: a heading is misspelt, or it is no such file.
        """
        file = self._folder / name
        if not file.is_file():
            return
        read = list(read_rows(file, row_type, add))
        refused = [each for each in read if isinstance(each, RefusedRow)]
        if refused and len(refused) == len(read):
            raise UnusableInputError(f"{self._folder}: no line of {name}: {refused[0].error}")
        self.refused += [RefusedRow(f"{name} {each.error}", each.input) for each in refused]

    def add_translation(self, line: TranslationLine) -> None:
        """Remember how something is called in a language."""
        language = line.language.strip().lower().partition("-")[0]
        if line.record_id is not None:
            key = (line.table_name, line.field_name, line.record_id)
            self._by_record.setdefault(key, {})[language] = line.translation
        elif line.field_value is not None:
            key = (line.table_name, line.field_name, line.field_value)
            self._by_text.setdefault(key, {})[language] = line.translation

    def add_facility(self, line: FacilityLine) -> Facility:
        """Take in a lift or an escalator; others, such as bicycle racks, are no part of ways."""
        kind = {"elevator": "lift", "escalator": "escalator"}.get(line.facility_type)
        name = self._name("facilities", "facility_short_name", line.facility_id, None)
        facility = Facility(id=line.facility_id, kind=kind or line.facility_type, name=name)
        return facility if kind is None else self.builder.add_facility(facility)

    def add_level(self, line: LevelLine) -> Level:
        """Take in a level."""
        name = self._name("levels", "level_name", line.level_id, line.level_name)
        return self.builder.add_level(Level(id=line.level_id, index=line.level_index, name=name))

    def add_stop(self, line: StopLine) -> Place:
        """Take in a stop, an entrance, a node."""
        self.uses_levels = self.uses_levels or line.level_id is not None
        place = Place(
            id=line.stop_id,
            kind=KINDS[line.location_type],
            name=self._name("stops", "platform_name", line.stop_id, line.platform_name)
            or self._name("stops", "stop_name", line.stop_id, line.stop_name),
            code=line.platform_code,
            level=line.level_id,
            latitude_deg=line.stop_lat,
            longitude_deg=line.stop_lon,
        )
        if line.location_type == BOARDING_AREA and line.parent_station is not None:
            self._boarding_areas.append((line.stop_id, line.parent_station))
        return self.builder.add_place(place)

    def add_pathway(self, line: PathwayLine) -> Way:
        """Take in a pathway, and its way back."""
        name = line.pathway_id
        way = Way(
            id=name,
            origin=line.from_stop_id,
            destination=line.to_stop_id,
            mode=MODES[line.pathway_mode - 1],
            length_m=line.length,
            seconds=line.traversal_time,
            wheelchair_length_m=line.wheelchair_length,
            wheelchair_seconds=line.wheelchair_traversal_time,
            stairs=line.stair_count,
            slope=line.max_slope,
            min_width_m=line.min_width,
            facility=line.facility_id,
            sign=self._name("pathways", "signposted_as", name, line.signposted_as),
        )
        back_sign = self._name(
            "pathways", "reversed_signposted_as", name, line.reversed_signposted_as
        )
        return self.builder.add_way(way, is_two_way=line.is_bidirectional == 1, back_sign=back_sign)

    def join_boarding_areas(self) -> None:
        """Let people who go to a platform reach it through its boarding areas."""
        for area, platform in self._boarding_areas:
            way = Way(
                id=f"boarding {area}", origin=area, destination=platform, mode="walkway", seconds=0
            )
            try:
                self.builder.add_way(way, is_two_way=True)
            except WrongValueError as error:
                self.refused.append(RefusedRow(f"stops.txt: parent_station: {error}", area))

    def _name(self, table: str, field: str, record: str, text: str | None) -> Name | None:
        if text is None:
            return None
        by_text = self._by_text.get((table, field, text), {})
        return Name(text, {**by_text, **self._by_record.get((table, field, record), {})})
