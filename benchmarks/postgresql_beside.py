"""A PostgreSQL of the benchmark's own: Debian's, as it is set up there, flushing every commit."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.hub.postgresql import find_binaries, running_postgresql

AS_INSTALLED: Mapping[str, str] = {}


@contextmanager
def postgresql_beside(settings: Mapping[str, str] = AS_INSTALLED) -> Iterator[str]:
    """Run it; gives the address of an empty database."""
    binaries = find_binaries()
    with running_postgresql(binaries, settings) as folder:
        subprocess.run([binaries / "createdb", "-h", folder, "-U", "hub", "bench"], check=True)
        yield f"postgresql+asyncpg://hub@/bench?host={folder}"
