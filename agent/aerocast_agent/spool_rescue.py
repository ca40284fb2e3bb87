"""After a damaged spool: put back what is whole, and say what is not. Beside the running writer.

Until it is done the hub is told that everything is still held, so that it waits for what comes out
of order. A rescue that was cut short begins again at the next start: the hub counts each once.
"""

import logging
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from aerocast_agent.lanes import EVERY_LANE, Span, joined
from aerocast_agent.spool_adding import add_batches
from aerocast_agent.spool_opening import APPLICATION_ID
from aerocast_agent.spool_reading import set_aside
from aerocast_agent.spool_rows import Row
from aerocast_agent.spool_salvage import Damaged, salvage

log = logging.getLogger(__name__)

# See `aerocast_agent.spool_file.mark_of`.
_MID_LIFE = re.compile(r"\.corrupt-[0-9a-f]+-(\d+)-(\d+)_(\d+)-(\d+)_(\d+)-(\d+)_(\d+)$")
_ID_AT = 68  # SQLite file format 3, §1.3: the application id, 4 bytes, big-endian


TRIES, AGAIN_AFTER_S = 10, 30.0


class Rescued(NamedTuple):
    """What came of a file.

    Attributes
    ----------
    lost
        What surely was in the file and is not whole.
    before
        What lies before all that was found: the hub has it, or it is lost too.
    """

    lost: list[Span]
    before: list[Span]


def rescue_all(
    path: Path,
    budget_bytes: int,
    tell: Callable[[Sequence[Span], Sequence[Span]], bool],
    is_stopping: Callable[[float], bool],
) -> bool:
    """Put into the spool at ``path`` what is whole in the files moved aside from there.

    Parameters
    ----------
    tell
        Takes what is lost, and what lies before all that was found; returns once that is durable,
        or False when there is no more time.
    is_stopping
        Waits so many seconds and says whether there is no more time.

    Returns
    -------
    Whether all is done, or given up after some tries.
    """
    for _ in range(TRIES):
        try:
            for file in set_aside(path):
                found = _rescue(file, path, budget_bytes)
                if not tell(found.lost, found.before):
                    return False
                _let_go(file, path)
        except (OSError, sqlite3.Error) as error:
            log.warning("a damaged spool is not yet looked through: %s", error)
            if is_stopping(AGAIN_AFTER_S):
                return False
        else:
            break
    return True


def _let_go(file: Path, path: Path) -> None:
    """Rename a file that was looked through; of our own such files only the newest is kept."""
    token = file.stem.rpartition(".corrupt-")[2]
    done = file.with_name(f"{path.stem}.salvaged-{token}{path.suffix}")
    for older in path.parent.glob(f"{path.stem}.salvaged-*{path.suffix}"):
        if _is_ours(older):
            older.unlink()
    for part in ("-wal", "-shm"):
        file.with_name(file.name + part).unlink(missing_ok=True)
    file.rename(done)


def _is_ours(file: Path) -> bool:
    with file.open("rb") as opened:
        header = opened.read(_ID_AT + 4)
    return header[_ID_AT:] == APPLICATION_ID.to_bytes(4, "big")


def _rescue(file: Path, path: Path, budget_bytes: int) -> Rescued:
    found: dict[tuple[int, int], list[Span]] = {}
    damaged: list[Span] = []
    left_out: list[Span] = []

    def whole() -> Iterator[Row]:
        for each in salvage(file):
            span = Span(each.lane, each.epoch, each.first, each.first + each.held - 1)
            if isinstance(each, Damaged):
                damaged.append(span._replace(reason="corrupt"))
                continue
            of_lane = found.setdefault((each.lane, each.epoch), [])
            of_lane[-1:] = joined([*of_lane[-1:], span])
            yield each

    def no_room(row: Row) -> None:
        left_out.append(Span(row.lane, row.epoch, row.first, row.last, "budget"))

    done = add_batches(path, budget_bytes, whole(), no_room)
    log.warning("%s: %d batches put back, %d had no room", file.name, done.added, done.no_room)
    lost, before = _holes(found, damaged, file)
    return Rescued([*lost, *joined(left_out)], before)


def _holes(
    found: dict[tuple[int, int], list[Span]], damaged: Iterable[Span], file: Path
) -> tuple[list[Span], list[Span]]:
    """Give what is missing between, after and before what was found."""
    reach = {key: max(span.last for span in spans) for key, spans in found.items()}
    start: dict[tuple[int, int], int] = {}
    for span in damaged:
        key = span[:2]
        reach[key] = max(reach.get(key, 0), span.last)
        start[key] = min(start.get(key, span.first), span.first)
    for key, (acked, durable) in _named(file).items():
        if acked < durable:
            reach[key] = max(reach.get(key, 0), durable)
            start[key] = min(start.get(key, acked + 1), acked + 1)
    lost: list[Span] = []
    before: list[Span] = []
    for (lane, epoch), last in reach.items():
        spans = sorted(found.get((lane, epoch), []))
        first_found = spans[0].first if spans else last + 1
        surely_from = min(start.get((lane, epoch), first_found), first_found)
        if surely_from > 1:
            before.append(Span(lane, epoch, 1, surely_from - 1, "corrupt"))
        next_first = surely_from
        for span in [*spans, Span(lane, epoch, last + 1, last + 1)]:
            if span.first > next_first:
                lost.append(Span(lane, epoch, next_first, span.first - 1, "corrupt"))
            next_first = max(next_first, span.last + 1)
    return lost, before


def _named(file: Path) -> dict[tuple[int, int], tuple[int, int]]:
    told = _MID_LIFE.search(file.stem)
    if told is None:
        return {}
    epoch, *numbers = map(int, told.groups())
    return {(lane, epoch): (numbers[2 * lane], numbers[2 * lane + 1]) for lane in EVERY_LANE}
