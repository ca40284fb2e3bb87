"""Driver for contactless card readers behind PC/SC: NFC tags, and staff badges."""

import asyncio
import hashlib
import hmac
import logging
from typing import Literal

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.cards import BadgeShown, CardPresented, CardRemoved
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_protocols.smartcard.atr import decode_atr
from aerocast_protocols.smartcard.reading import read_card

from aerocast_agent import clock
from aerocast_agent.card_reader import CardLostError, CardReader, Change
from aerocast_agent.driver import Accept, Fact, ProbeReport

READ_WITHIN_S = 10.0
Purpose = Literal["tags", "badges"]
log = logging.getLogger(__name__)


class SmartCardReader:
    """Tells of cards that come and go.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    reader
        Part of the reader's name; empty: the first there is.
    badge_key
        The airport's: the reader is for staff badges then, and tells who came, never the card's
        identifier. None: it is for tags, and tells everything on them.
    """

    def __init__(self, name: str, reader: str = "", badge_key: bytes | None = None) -> None:
        self.name = name
        self._reader = reader
        self._badge_key = badge_key

    async def run(self, accept: Accept) -> None:
        """Tell of cards until the reader or pcscd is lost (``OSError``).

        A badge that lies there already says nothing: only one that is seen to come was shown.
        """
        async with CardReader(self._reader) as reader:
            change = await reader.change()
            accept(
                DeviceEvent(
                    device=self.name, boot_ns=clock.boot_ns(), event="connected", detail=reader.name
                )
            )
            came_ns: int | None = None
            if change.is_present and self._badge_key is None:
                came_ns = await self._take(reader, change, accept)
            while True:
                change = await reader.change()
                if change.is_present:
                    came_ns = await self._take(reader, change, accept)
                elif came_ns is not None:
                    held_s = round((change.boot_ns - came_ns) / 1e9, 3)
                    accept(CardRemoved(device=self.name, boot_ns=change.boot_ns, held_s=held_s))
                    came_ns = None

    async def _take(self, reader: CardReader, change: Change, accept: Accept) -> int | None:
        """Read a card that came and tell of it; give when it came, None when it says nothing."""
        talk = read_card(change.atr, wants_ndef=self._badge_key is None)
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                card = await reader.converse(talk)
        except (CardLostError, ProtocolError) as error:
            log.info("%s: a card could not be read: %s", self.name, error)
            return None
        if self._badge_key is None:
            accept(
                CardPresented(
                    device=self.name,
                    boot_ns=change.boot_ns,
                    uid=card.uid,
                    atr=change.atr,
                    ndef_text=card.text,
                )
            )
        elif card.uid:
            badge = badge_of(card.uid, self._badge_key)
            accept(BadgeShown(device=self.name, boot_ns=change.boot_ns, badge=badge))
        else:
            log.info("%s: a badge would not tell its identifier", self.name)
            return None
        return change.boot_ns

    async def probe(self) -> ProbeReport:
        """Tell which reader it is, and what lies on it; never a badge's identifier.

        Raises
        ------
        OSError
            pcscd does not run, or there is no such reader.
        """
        async with CardReader(self._reader) as reader:
            says: dict[str, Fact] = {"reader": reader.name}
            change = await reader.change()
            says["card_present"] = change.is_present
            if change.is_present:
                says["card"] = _kind(change.atr)
            return ProbeReport(says=says)


def badge_of(uid: bytes, key: bytes) -> bytes:
    """Give the identity of a badge under an airport's key.

    Nobody without the key can turn it back, not even by trying every identifier there can be.
    """
    return hmac.new(key, uid, hashlib.sha256).digest()


def _kind(atr: bytes) -> str:
    try:
        known = decode_atr(atr)
    except ProtocolError:
        return "unknown"
    return known.name or ("memory card" if known.storage_card is not None else "processor card")
