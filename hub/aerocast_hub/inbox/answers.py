"""What gateways are told of what they sent: stored, slow down, refused, unreadable, not known."""

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from aerocast_protocols.batch import (
    REFUSED,
    SLOW_DOWN,
    STORED,
    UNKNOWN_GATEWAY,
    UNREADABLE,
    Acknowledgement,
    digest_of,
    encode_acknowledgements,
)
from aerocast_protocols.topics import down

from aerocast_hub.gateways.state import Name
from aerocast_hub.inbox.ledger import LaneKey
from aerocast_hub.inbox.marks import MOST_RANGES, Marks, Ranges, union

UNKNOWN_RETRY_MS = 60_000
MOST_ACKNOWLEDGEMENTS = 64  # in one message, as the wire says


class Reply(NamedTuple):
    """An acknowledgement to publish."""

    topic: str
    payload: bytes


class Answers:
    """What is to be said, once a transaction is committed, to those whose messages are in it."""

    def __init__(self) -> None:
        self._waits_ms: dict[tuple[Name, LaneKey], int] = {}
        self._refused: dict[tuple[Name, LaneKey], Ranges] = {}
        self._not_known: dict[tuple[Name, int, int], None] = {}
        self._unreadable: list[tuple[Name, Acknowledgement]] = []

    def taken(self, name: Name, lane: LaneKey, wait_ms: int) -> None:
        """Tell how far a lane is stored; of the waits asked of it the longest counts."""
        key = (name, lane)
        self._waits_ms[key] = max(wait_ms, self._waits_ms.get(key, 0))

    def refused(self, name: Name, lane: LaneKey, sequence: int) -> None:
        """Tell a gateway to set an observation aside for good."""
        ranges = self._refused.get((name, lane), ())
        self._refused[name, lane] = union((*ranges, (sequence, sequence)))

    def not_known(self, name: Name, epoch: int, lane: int) -> None:
        """Tell a gateway to keep everything and try again: nobody has registered it."""
        self._not_known[name, epoch, lane] = None

    def unreadable(self, name: Name, lane: int, payload: bytes) -> None:
        """Tell a gateway, if it is known, which batch nobody will ever be able to read."""
        told = Acknowledgement(
            lane=lane,
            epoch=0,
            up_to_sequence=0,
            status=UNREADABLE,
            digest=digest_of(payload),
        )
        self._unreadable.append((name, told))

    def senders_of_unreadable(self) -> set[Name]:
        """Say who sent what nobody can read."""
        return {name for name, _ in self._unreadable}

    def replies(
        self, marks: Callable[[LaneKey], Marks], is_known: Callable[[Name], bool]
    ) -> list[Reply]:
        """Give the acknowledgements, with the marks as they were committed."""
        by_name: defaultdict[Name, list[Acknowledgement]] = defaultdict(list)
        for (name, lane), ranges in self._refused.items():
            refused = Acknowledgement(
                lane=lane.lane,
                epoch=lane.epoch,
                up_to_sequence=0,
                missing_ranges=ranges[:MOST_RANGES],
                status=REFUSED,
            )
            by_name[name].append(refused)
        for (name, lane), wait_ms in self._waits_ms.items():
            stored = marks(lane)
            taken = Acknowledgement(
                lane=lane.lane,
                epoch=lane.epoch,
                up_to_sequence=stored.up_to(),
                missing_ranges=stored.missing(),
                highest_sequence=stored.highest(),
                status=SLOW_DOWN if wait_ms else STORED,
                retry_after_ms=wait_ms,
            )
            by_name[name].append(taken)
        for name, epoch, lane_number in self._not_known:
            not_known = Acknowledgement(
                lane=lane_number,
                epoch=epoch,
                up_to_sequence=0,
                status=UNKNOWN_GATEWAY,
                retry_after_ms=UNKNOWN_RETRY_MS,
            )
            by_name[name].append(not_known)
        lists = [(name, some) for name, each in by_name.items() for some in _in_pieces(each)]
        lists += [(name, [each]) for name, each in self._unreadable if is_known(name)]
        return [Reply(down(*name, "ack"), encode_acknowledgements(some)) for name, some in lists]


def _in_pieces(acknowledgements: list[Acknowledgement]) -> list[list[Acknowledgement]]:
    return [
        acknowledgements[start : start + MOST_ACKNOWLEDGEMENTS]
        for start in range(0, len(acknowledgements), MOST_ACKNOWLEDGEMENTS)
    ]
