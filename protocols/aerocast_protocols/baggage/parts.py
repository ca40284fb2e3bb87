"""Messages that come in parts: ``.V/1LIST/PART1`` to ``ENDPART1``, the last one to ``ENDBSM``."""

from collections.abc import Sequence

import msgspec

from aerocast_protocols.baggage.elements import Bags, Leg
from aerocast_protocols.baggage.meaning import GROUPED
from aerocast_protocols.baggage.message import BagMessage


def part_of(message: BagMessage) -> int | None:
    """Give which part a message is; None when it came in one piece."""
    return None if message.version is None else message.version.part


def are_whole(parts: Sequence[BagMessage]) -> bool:
    """Say whether nothing is missing of a message: parts 1, 2, ... and the last one, in order."""
    numbers = [part_of(each) for each in parts]
    return numbers == list(range(1, len(parts) + 1)) and parts[-1].is_last_part


def bags_of_parts(parts: Sequence[BagMessage]) -> list[tuple[Bags, ...]]:
    """Give what each part says of bags: a flight holds in the next part until that names its own.

    Parameters
    ----------
    parts
        Parts of one message in their order, as far as they have come; after a missing one nothing
        holds.
    """
    read: list[tuple[Bags, ...]] = []
    last: Bags | None = None
    expected = 1
    for part in parts:
        number = part_of(part)
        is_sure = all(each.name not in {"F", "I"} for each in part.problems)
        held = last if number == expected and is_sure else None
        bags = part.bags
        if held is not None:
            is_grouped = part.kind in GROUPED
            bags = tuple(_held(each, held, is_grouped=is_grouped) for each in bags)
        read.append(bags)
        last = bags[-1]
        expected = (number or 0) + 1
    return read


def _held(bags: Bags, before: Bags, *, is_grouped: bool) -> Bags:
    inbound: Leg | None = bags.inbound
    outbound: Leg | None = bags.outbound
    if inbound is None and (is_grouped or outbound is None):
        inbound = before.inbound
    if outbound is None and bags.inbound is None:
        outbound = before.outbound
    return msgspec.structs.replace(bags, inbound=inbound, outbound=outbound)
