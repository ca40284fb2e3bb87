"""What all tables of agent.toml share, and what all devices share."""

import msgspec

from aerocast_agent.config.values import DeviceLabel, Positive, Text


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of agent.toml; a key it does not list is an error."""


class DeviceTable(Table, frozen=True, kw_only=True, tag_field="kind"):
    """What every device may say.

    Attributes
    ----------
    profile
        A profile of ``firmware_configs/`` by its name, or one of the site's own by its path, which
        ends in ``.toml``.
    silent_after_s
        Connected and nothing seen for so long means that something is wrong; absent: it may be
        silent for ever.
    """

    name: DeviceLabel
    profile: Text | None = None
    silent_after_s: Positive | None = None
