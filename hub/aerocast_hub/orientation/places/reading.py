"""Reading a map of any kind: a folder of GTFS or IMDF, either zipped, a drawing, an OSM extract."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aerocast_hub.importing import RefusedRow, UnusableInputError
from aerocast_hub.orientation.places.drawn import read_drawn
from aerocast_hub.orientation.places.gtfs import read_gtfs
from aerocast_hub.orientation.places.imdf import read_imdf
from aerocast_hub.orientation.places.osm import read_osm
from aerocast_hub.orientation.places.place_map import PlaceMap

MOST_BYTES = 256_000_000  # unpacked
READERS = {".toml": read_drawn, ".osm": read_osm, ".xml": read_osm}


def read_places(path: Path) -> tuple[PlaceMap, list[RefusedRow]]:
    """Read a map; what cannot be taken in is named, the rest is taken.

    Raises
    ------
    UnusableInputError
        It is no map at all, or lacks a file it cannot do without.
    OSError
        It cannot be read.
    """
    if path.is_dir():
        return _read_folder(path)
    if path.suffix.lower() == ".zip" and path.exists():
        with _unpacked(path) as folder:
            return _read_folder(folder)
    if not path.exists():
        raise UnusableInputError(f"{path}: there is no such file or folder")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UnusableInputError(f"{path}: expected a folder, or a name in .zip, .toml or .osm")
    return reader(path)


def _read_folder(folder: Path) -> tuple[PlaceMap, list[RefusedRow]]:
    names = {each.name for each in folder.iterdir()}
    if names & {"stops.txt", "pathways.txt", "levels.txt"}:
        return read_gtfs(folder)
    if names & {"manifest.json", "unit.geojson", "level.geojson"}:
        return read_imdf(folder)
    raise UnusableInputError(f"{folder}: neither GTFS (stops.txt) nor IMDF (unit.geojson)")


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Unpack the files at the top of an archive, and only those that maps are made of."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(path) as archive:
                found = [each for each in archive.infolist() if _is_wanted(each.filename)]
                if sum(each.file_size for each in found) > MOST_BYTES:
                    raise UnusableInputError(f"{path}: larger than {MOST_BYTES} bytes unpacked")
                for each in found:
                    archive.extract(each, folder)
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise UnusableInputError(f"{path}: no zip archive: {error}") from None
        yield folder


def _is_wanted(name: str) -> bool:
    return "/" not in name and name.rpartition(".")[2] in ("txt", "geojson", "json")
