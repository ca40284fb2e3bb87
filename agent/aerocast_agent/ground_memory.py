"""What is known of aircraft around the ground, kept over a restart of the agent.

An agent that is stopped while an aircraft rolls to its stand, or pushes back, would else not know
on its return where that one came from: an aircraft first heard standing may have stood there for
hours. Times are since boot, so that what was kept before the machine itself restarted is worth
nothing. The file is not flushed: it survives the agent, not the machine, and spares the disk.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from aerocast_agent.ground_events import GroundState

if TYPE_CHECKING:
    from aerocast_agent.aircraft import AircraftTable

log = logging.getLogger(__name__)

EVERY_NS = 5_000_000_000
LARGEST_BYTES = 4 * 1024 * 1024


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """One aircraft; see `Aircraft` for its fields."""

    icao: str
    heard_ns: int
    ground: GroundState
    callsign: str | None = None
    category: str | None = None


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    boot_id: bytes
    aircraft: list[Remembered]


class GroundMemory:
    """Keeps an aircraft table's memory of the ground in a file.

    Parameters
    ----------
    file
        Beside the spool.
    table
        The receivers' own, not a recording's.
    boot_id
        Of this boot of the machine.
    """

    def __init__(self, file: Path, table: "AircraftTable", boot_id: bytes) -> None:
        self._file = file
        self._table = table
        self._boot_id = boot_id
        self._kept: bytes | None = None
        self._due_ns = 0

    def recall(self) -> int:
        """Give the table what was kept within this boot; say how many aircraft that are."""
        try:
            if self._file.stat().st_size > LARGEST_BYTES:
                return 0
            kept = msgspec.msgpack.decode(self._file.read_bytes(), type=_Kept)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return 0  # none was kept, or what was is of no use: aircraft are heard anew
        if kept.boot_id != self._boot_id:
            return 0
        for each in kept.aircraft:
            self._table.recall(each)
        return len(kept.aircraft)

    def keep(self, now_ns: int, *, at_once: bool = False) -> None:
        """Write what has changed, at most every five seconds unless ``at_once``."""
        if now_ns < self._due_ns and not at_once:
            return
        self._due_ns = now_ns + EVERY_NS
        kept = _Kept(boot_id=self._boot_id, aircraft=list(self._table.remembered()))
        encoded = msgspec.msgpack.encode(kept)
        if encoded == self._kept:
            return
        self._kept = encoded
        beside = self._file.with_suffix(".new")
        try:
            beside.write_bytes(encoded)
            beside.replace(self._file)
        except OSError as error:
            log.warning("aircraft on the ground cannot be kept: %s", error)
