"""When something was seen: a gateway's time since boot, put on the best clock known of that boot.

Pure. A boot's clock is an offset: UTC = CLOCK_BOOTTIME + offset. It comes from anchors, from the
clock pair each sending carries, and, when the gateway knows no time at all, from the hub's receipt.
"""

from typing import NamedTuple

TRUSTED = 2
"""From this quality on (hardware clock, network time, GPS) a gateway's own UTC is believed."""


class BootClock(NamedTuple):
    """What is known of one boot: UTC ns minus CLOCK_BOOTTIME ns, and how good that is (0 to 4)."""

    offset_ns: int
    quality: int


def better(known: BootClock | None, heard: BootClock) -> BootClock:
    """Choose between what is known and what is heard now.

    The higher quality wins. Of equals the newer wins, because clocks drift; except that of
    receipts (quality below `TRUSTED`) the earlier offset wins: a delay only ever makes it later.
    """
    if known is None or heard.quality > known.quality:
        return heard
    if heard.quality < known.quality:
        return known
    if heard.quality < TRUSTED:
        return min(known, heard)
    return heard


def clock_of_sending(
    boot_ns_sent: int, wall_ns_sent: int, quality: int, received_at_us: int
) -> BootClock:
    """Read the clock pair of an envelope; a pair nobody trusts gives way to the hub's receipt.

    The gateway's own claim below `TRUSTED` can be years off (1970, or the last shutdown), the
    moment of receipt only by the time the message was under way.
    """
    if quality >= TRUSTED:
        return BootClock(wall_ns_sent - boot_ns_sent, quality)
    return BootClock(received_at_us * 1000 - boot_ns_sent, 0)


def seen_at_us(clock: BootClock | None, boot_ns: int, received_at_us: int) -> tuple[int, int]:
    """Give UTC microseconds and clock quality; with no clock of that boot, the receipt itself."""
    if clock is None:
        return received_at_us, 0
    return (clock.offset_ns + boot_ns) // 1000, clock.quality
