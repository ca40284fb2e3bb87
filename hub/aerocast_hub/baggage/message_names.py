"""Telling one baggage message from another: a message and its repetitions have one id.

A message is known by what it says and by its sender's reference (who sent it, when, its number).
Senders without an envelope give no reference; then a message is new again once another one spoke of
its bags: announced, withdrawn and announced again are three messages. Pure.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping

from aerocast_protocols.baggage import BagMessage


class Names:
    """Gives messages their ids, in the order they were sent.

    Parameters
    ----------
    last
        Licence plate -> the content that spoke of it last.
    counts
        Content -> how many messages of it there are whose sender gave no reference.
    """

    def __init__(
        self, last: Mapping[str, str] | None = None, counts: Mapping[str, int] | None = None
    ) -> None:
        self._last = dict(last or {})
        self._counts = Counter(counts or {})

    def name(self, content: str, message: BagMessage | None) -> str:
        """Give a message's id: a repetition has the id of the message it repeats."""
        reference = None if message is None else reference_of(message)
        plates = () if message is None else message.plates
        if reference is None:
            is_repeated = all(self._last.get(plate) == content for plate in plates)
            if not self._counts[content] or not is_repeated:
                self._counts[content] += 1
            number = self._counts[content]
            name = content if number == 1 else f"{content}.{number}"
        else:
            name = f"{content}-{reference}"
        self._last.update(dict.fromkeys(plates, content))
        return name


def content_of(raw: bytes, message: BagMessage | None) -> str:
    """Hash what a message says, without its envelope and whatever else is around it."""
    said = raw
    if message is not None:
        lines = [message.kind, message.secondary or "", *map(str, message.elements)]
        said = "\n".join([*lines, message.ending or ""]).encode()
    return hashlib.sha256(said).hexdigest()[:32]


def reference_of(message: BagMessage) -> str | None:
    """Hash who sent it, when, and under which number; None where the sender does not say."""
    envelope = message.envelope
    if envelope is None or envelope.sender is None or envelope.sent is None:
        return None
    said = " ".join((envelope.sender, envelope.sent, *envelope.remarks))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
