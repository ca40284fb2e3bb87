"""What every observation carries, and the sorts of values most of them are made of."""

from typing import Annotated

import msgspec

DeviceName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
ShortText = Annotated[str, msgspec.Meta(max_length=256)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Observed(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True, gc=False
):
    """What every observation carries.

    Attributes
    ----------
    device
        The device's name in the gateway's configuration; ``agent`` for the gateway itself.
    boot_ns
        When it happened, in nanoseconds of the gateway's CLOCK_BOOTTIME. It belongs to the boot
        named in the batch that carries it, and may be negative in a replay of older recordings.
    """

    device: DeviceName
    boot_ns: int
