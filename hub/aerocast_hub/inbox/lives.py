"""The lives of a gateway in order, and what bounds the time of those that never knew it.

Pure. A life is a start of the agent (an epoch); several may share one boot of the machine.
"""

from collections.abc import Iterable, Sequence

import msgspec

from aerocast_hub.inbox.clock import TRUSTED, BootClock


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """One life of a gateway, as far as the hub has seen it.

    Attributes
    ----------
    epoch
        Counter in the high 32 bits, random below.
    first_received_at_us
        When the hub first had something of it, its own UTC.
    first_boot_ns, last_boot_ns
        CLOCK_BOOTTIME of the first and last thing seen in it.
    clock
        What is known of its boot's clock.
    """

    epoch: int
    boot_id: bytes
    first_received_at_us: int
    first_boot_ns: int
    last_boot_ns: int
    clock: BootClock | None = None

    @property
    def is_anchored(self) -> bool:
        """Say whether its time is known, and not only bounded."""
        return self.clock is not None and self.clock.quality >= TRUSTED


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """When something happened at the earliest and at the latest, UTC us; None where unbounded."""

    not_before_us: int | None
    not_after_us: int | None


def in_order(lives: Iterable[Life]) -> list[Life]:
    """Give lives in the order they were lived.

    Within one disk the counter tells, whatever order their backlogs arrived in. A fresh disk
    starts again at 0: a counter met twice, or 0 while its successor never came, is another disk,
    later than the one before.
    """
    disks: list[dict[int, Life]] = []
    for life in sorted(lives, key=lambda each: (each.first_received_at_us, each.epoch)):
        counter = life.epoch >> 32
        newest = disks[-1] if disks else None
        starts_anew = newest is not None and (
            counter in newest or (counter == 0 and min(newest) > 1)
        )
        if newest is None or starts_anew:
            disks.append({counter: life})
        else:
            newest[counter] = life
    return [disk[counter] for disk in disks for counter in sorted(disk)]


def bounds_of(lives: Sequence[Life], at: int) -> Bounds:
    """Bound the time of a life by its neighbours; ``lives`` are in order.

    Not before the last thing seen in an earlier life whose clock is known; not after the start of
    a later boot whose clock is known, nor after the hub first heard of it.
    """
    life = lives[at]
    before = [
        (each.clock.offset_ns + each.last_boot_ns) // 1000
        for each in lives[:at]
        if each.clock is not None and each.is_anchored and each.boot_id != life.boot_id
    ]
    after = [
        each.clock.offset_ns // 1000
        for each in lives[at + 1 :]
        if each.clock is not None and each.is_anchored and each.boot_id != life.boot_id
    ]
    if life.clock is not None and life.clock.receipt_ns is not None:
        after.append((life.clock.receipt_ns + life.last_boot_ns) // 1000)
    return Bounds(
        not_before_us=max(before, default=None),
        not_after_us=min(after, default=None),
    )
