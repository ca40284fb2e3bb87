"""Partners' events into the inbox, as a gateway of theirs would send them."""

import time

from aerocast_protocols.batch import Acknowledgement, decode_acknowledgements
from aerocast_protocols.observations import LIVE
from aerocast_protocols.topics import up

from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.ingest.reported import Report, as_sent


class PartnerInbox:
    """Takes in what partners report."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def take(self, site: str, name: str, report: Report) -> list[Acknowledgement]:
        """Store a report; give what the inbox acknowledges after its commit, if it could."""
        now_ns = time.time_ns()
        topic = up(site, name, LIVE)
        sent = [Message(topic, payload, now_ns // 1000) for payload in as_sent(report, now_ns)]
        return [
            each
            for reply in await self._inbox.receive(sent)
            for each in decode_acknowledgements(reply.payload)
        ]
