"""What is held to a reader or carried past: cards, badges, beacons."""

from typing import Annotated

import msgspec

from aerocast_protocols.observations.observed import Observed, ShortText


class CardPresented(Observed, frozen=True, kw_only=True, tag="card_presented"):
    """A smart card or NFC tag was held to a reader; ``uid`` identifies, it proves nothing."""

    uid: Annotated[bytes, msgspec.Meta(max_length=32)]
    atr: Annotated[bytes, msgspec.Meta(max_length=64)] = b""
    ndef_text: Annotated[str, msgspec.Meta(max_length=2048)] | None = None


class BadgeShown(Observed, frozen=True, kw_only=True, tag="badge_shown"):
    """A staff badge was held to a reader.

    Attributes
    ----------
    badge
        Who it is, without saying which card: HMAC-SHA256 of its identifier under the airport's
        badge key. The identifier itself never leaves the gateway's memory.
    """

    badge: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class CardRemoved(Observed, frozen=True, kw_only=True, tag="card_removed"):
    """A card or badge was taken away again.

    Attributes
    ----------
    held_s
        How long it had been there.
    """

    held_s: float | None = None


class BeaconSeen(Observed, frozen=True, kw_only=True, tag="beacon_seen"):
    """A BLE beacon's advertisement was heard."""

    beacon: ShortText
    identity: ShortText
    address: ShortText | None = None
    rssi_dbm: float | None = None
    tx_power_dbm: float | None = None
