"""What every event carries."""

import msgspec


class Happened(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """What every event carries.

    Attributes
    ----------
    at_us
        When it happened, UTC microseconds since 1970-01-01, as far as known.
    """

    at_us: int
