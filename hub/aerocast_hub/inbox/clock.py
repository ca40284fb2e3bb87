"""When something was seen: a gateway's time since boot, put on the best clock known of that boot.

Pure. A boot's clock is an offset: UTC = CLOCK_BOOTTIME + offset. It comes from anchors, from the
clock pair each sending carries, and, when the gateway knows no time at all, from the hub's receipt.
One offset serves a whole boot, so that no clock, however wrong, changes the order of what was seen.
"""

from typing import NamedTuple

TRUSTED = 2
"""From this quality on (hardware clock, network time, GPS) a gateway's own UTC is believed."""
NETWORK = 3

JUMP_NS = 2_000_000_000
"""Clocks drift by less between two hearings; a claim that moves further was set, by somebody or
something, and moves everything seen in that boot."""

SECOND_NS = 1_000_000_000
EARLIEST_SANE_NS = 1_735_689_600 * SECOND_NS  # 2025-01-01: before it, no AeroCast gateway ran
FARTHEST_FROM_RECEIPT_NS = {2: 600 * SECOND_NS, 3: 86_400 * SECOND_NS, 4: 86_400 * SECOND_NS}
"""By quality. A GPS receiver past its week rollover is 1024 weeks off, a hardware clock without
its battery years, one kept in local time hours; a message is seconds under way."""


class BootClock(NamedTuple):
    """What is known of one boot.

    Attributes
    ----------
    offset_ns
        UTC ns minus CLOCK_BOOTTIME ns.
    quality
        How good that is, 0 (the hub's own receipt) to 4.
    receipt_ns
        The offset by the least delayed receipt: the true one is hardly later. None for a boot of
        which only anchors came.
    was_live
        Something was received while that boot lasted: then the true offset is near the receipt's.
        A backlog may come days later.
    """

    offset_ns: int
    quality: int
    receipt_ns: int | None = None
    was_live: bool = False


class Claim(NamedTuple):
    """What a gateway says of its clock: UTC was ``wall_ns`` when CLOCK_BOOTTIME was ``boot_ns``."""

    boot_ns: int
    wall_ns: int
    quality: int

    @property
    def offset_ns(self) -> int:
        """Give UTC minus CLOCK_BOOTTIME."""
        return self.wall_ns - self.boot_ns


def after_receipt(
    known: BootClock | None, boot_ns: int, received_at_us: int, *, is_live: bool
) -> BootClock:
    """Learn from a receipt: what was at ``boot_ns`` came by ``received_at_us``.

    A claim trusted until now that turns out to be far from a live receipt is let go.
    """
    receipt_ns = received_at_us * 1000 - boot_ns
    if known is not None and known.receipt_ns is not None:
        receipt_ns = min(receipt_ns, known.receipt_ns)
    was_live = is_live or (known is not None and known.was_live)
    receipt = BootClock(receipt_ns, 0, receipt_ns, was_live)
    if known is None or not _agree(known.offset_ns, known.quality, receipt, boot_ns):
        return receipt
    return known._replace(receipt_ns=receipt_ns, was_live=was_live)


def is_believable(known: BootClock | None, claim: Claim, received_at_us: int) -> bool:
    """Say whether a claim may be true: of quality, no year nobody lives in, near the receipt."""
    if claim.quality < TRUSTED:
        return False
    if not EARLIEST_SANE_NS <= claim.wall_ns <= received_at_us * 1000 + 86_400 * SECOND_NS:
        return False
    return known is None or _agree(claim.offset_ns, claim.quality, known, claim.boot_ns)


def after_claim(known: BootClock | None, claim: Claim) -> BootClock:
    """Choose between what is known and a believable claim.

    The higher quality wins. Of equals the newer wins, because clocks drift; but of two that lie
    apart by more than drift the one nearer to the receipts wins.
    """
    if known is None:
        return BootClock(claim.offset_ns, claim.quality)
    heard = known._replace(offset_ns=claim.offset_ns, quality=claim.quality)
    if heard.quality > known.quality:
        return heard
    if heard.quality < known.quality:
        return known
    if is_jump(known, heard) and not _is_nearer(heard, known):
        return known
    return heard


def is_jump(before: BootClock, after: BootClock) -> bool:
    """Say whether a clock moved further than clocks drift."""
    return abs(after.offset_ns - before.offset_ns) > JUMP_NS


def seen_at_us(clock: BootClock | None, boot_ns: int, received_at_us: int) -> tuple[int, int]:
    """Give UTC microseconds and clock quality; with no clock of that boot, the receipt itself."""
    if clock is None:
        return received_at_us, 0
    return (clock.offset_ns + boot_ns) // 1000, clock.quality


def _agree(offset_ns: int, quality: int, receipt: BootClock, boot_ns: int) -> bool:
    """Say whether an offset and a receipt may both be right."""
    if quality < TRUSTED:
        return False
    if receipt.receipt_ns is None or receipt.receipt_ns + boot_ns < EARLIEST_SANE_NS:
        return True  # there is none; or the hub's own clock was not set then
    later_ns = offset_ns - receipt.receipt_ns
    farthest_ns = FARTHEST_FROM_RECEIPT_NS[quality]
    return -farthest_ns <= later_ns <= farthest_ns if receipt.was_live else later_ns <= farthest_ns


def _is_nearer(heard: BootClock, known: BootClock) -> bool:
    if known.receipt_ns is None:
        return False
    return abs(heard.offset_ns - known.receipt_ns) < abs(known.offset_ns - known.receipt_ns)
