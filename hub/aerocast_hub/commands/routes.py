"""`aerocast-hub routes --places FOLDER --pairs FILE`: find ways on a map, without a hub."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.importing import RefusedRow, UnusableInputError, WrongValueError
from aerocast_hub.orientation.conditions import Closure, Conditions
from aerocast_hub.orientation.directions import Directions
from aerocast_hub.orientation.itinerary import Itinerary, itinerary
from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.places.reading import read_places
from aerocast_hub.orientation.profiles import PROFILES
from aerocast_hub.orientation.routes import find_route
from aerocast_hub.orientation.wording import DEFAULT_LANGUAGE, LANGUAGES

EXAMPLE = "example: aerocast-hub routes --places gtfs/ --pairs pairs.jsonl --closed C"


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the file."""

    origin: str = msgspec.field(name="from")
    destination: str = msgspec.field(name="to")
    profile: str = "default"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--places", type=Path, required=True, help="a map, as `import places` takes"
    )
    parser.add_argument(
        "--pairs",
        type=Path,
        required=True,
        help='JSON lines {"from", "to", "profile"}; - for stdin',
    )
    parser.add_argument(
        "--closed", action="append", default=[], help="a lift, a way or a place that is closed"
    )
    parser.add_argument("--language", choices=LANGUAGES, default=DEFAULT_LANGUAGE)
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Find the way of each pair; 1 when any line was refused."""
    try:
        places, refused = read_places(arguments.places)
        lines = _lines(arguments.pairs)
    except UnusableInputError as error:
        complain(str(error))
        return 2
    except OSError as error:
        complain(f"{error.filename} cannot be read: {error.strerror}")
        return 2
    for row in refused:
        complain(f"left out of the map: {row.error}")
    network = Network(places)
    directions = Directions(network)
    unknown = [each for each in arguments.closed if not network.knows(each)]
    if unknown:
        complain(f"--closed {unknown[0]!r}: nothing on the map has this id")
        return 2
    closures = [Closure(subject=each, from_s=0.0) for each in arguments.closed]
    conditions = Conditions(network, closures=closures)
    is_whole = True
    for found in _find(lines, network, directions, conditions, arguments.language):
        is_whole = is_whole and isinstance(found, Itinerary)
        if arguments.json:
            print_json(found)
        elif isinstance(found, RefusedRow):
            complain(f"refused: {found.error}: {found.input}")
        else:
            print_line(_shown(found))
    return 0 if is_whole else 1


def _lines(file: Path) -> list[str]:
    text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8-sig", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _find(
    lines: Iterable[str],
    network: Network,
    directions: Directions,
    conditions: Conditions,
    language: str,
) -> Iterator[Itinerary | RefusedRow]:
    for line in lines:
        try:
            pair = msgspec.json.decode(line, type=Pair)
            for key, place in (("from", pair.origin), ("to", pair.destination)):
                if place not in network.number:
                    raise WrongValueError(key, place, "a place of the map")
            if pair.profile not in PROFILES:
                raise WrongValueError("profile", pair.profile, f"one of {', '.join(PROFILES)}")
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            yield RefusedRow(str(error).replace("`", ""), line[:500])
            continue
        route = find_route(network, pair.origin, pair.destination, pair.profile, conditions)
        yield itinerary(route, directions, pair.profile, language)


def _shown(found: Itinerary) -> str:
    if found.unreachable is not None:
        return found.unreachable.text
    steps = " ".join(step.text for step in found.steps)
    return f"{found.seconds:.0f} s: {steps}"
