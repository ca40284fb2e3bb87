"""Settings of what reads cards, tags and beacons close by: PC/SC readers, Bluetooth."""

from typing import Literal

from aerocast_agent.config.tables import DeviceTable
from aerocast_agent.config.values import Label, Positive, Text


class SmartCard(DeviceTable, frozen=True, kw_only=True, tag="smartcard"):
    """A reader of contactless cards and NFC tags (PC/SC); needs the extra ``smartcard``.

    Attributes
    ----------
    reader
        Part of its name; absent, the first there is.
    purpose
        ``tags`` tells what is on them. ``badges`` tells which of the staff came, never the card's
        identifier.
    badge_key
        For ``badges``: a file of 32 random bytes or more, the same at every gateway of an airport.
    """

    reader: Text | None = None
    purpose: Literal["tags", "badges"] = "tags"
    badge_key: Text | None = None


class Ble(DeviceTable, frozen=True, kw_only=True, tag="ble"):
    """Bluetooth beacons and sensors around; needs the extra ``ble``.

    Attributes
    ----------
    adapter
        Which radio, ``hci0`` for one; absent, the first there is.
    report_every_s
        A beacon is reported at most so often.
    restart_after_s
        Nothing heard for so long, though something was before: the scan is started again, for
        scans stall without a word.
    """

    adapter: Label | None = None
    report_every_s: Positive = 10.0
    restart_after_s: Positive = 60.0


NearField = SmartCard | Ble
