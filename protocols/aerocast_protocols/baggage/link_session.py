"""One session over a SITA BagMessage link, as either side: what to answer, and what came.

Pure: no socket, no clock. Feed it bytes and the time (seconds, of any steady clock), send what
`outgoing` gives, and act on the news. Its promises:

- What came is acknowledged when `acknowledge` is called: store first. What comes again meanwhile,
  or again because its acknowledgement was lost, is news only once in a session.
- Of what is offered one message is under way at a time; it is sent again, under the same id, until
  it is acknowledged. A new session starts anew: offer again what was not acknowledged.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping

import msgspec

from aerocast_protocols.baggage.link import Packet, PacketBuffer, PacketType, encode_packet
from aerocast_protocols.errors import ProtocolError

HEARTBEAT_S = 30.0
"""After this long without sending, STATUS is sent; twice as long without hearing, it is over."""
LOGIN_S = 10.0
"""A login that takes longer is none."""
RESEND_S = 1.0
MOST_UNANSWERED = 20
"""A message so often sent without an answer: the session is no use."""
MOST_WAITING = 64
"""Messages received and not yet acknowledged. A peer that sends more of them breaks the rules."""
LONGEST_PASSWORD = 256

CheckPassword = Callable[[str, bytes], bool]
"""Says whether an application id and a password are a partner's."""


class LoggedIn(msgspec.Struct, frozen=True):
    """Messages may flow. ``application`` is who the peer says it is."""

    application: str


class LoginRefused(msgspec.Struct, frozen=True):
    """The password was not accepted: say so to a person, and wait before trying again."""

    application: str


class Received(msgspec.Struct, frozen=True):
    """A message came. Store it, then call `LinkSession.acknowledge` with ``message_id``.

    ``message_id`` is None for data the peer wants no acknowledgement of.
    """

    data: bytes
    message_id: int | None

    def __repr__(self) -> str:
        """Tell no content."""
        return f"Received({len(self.data)} bytes, {self.message_id})"


class Delivered(msgspec.Struct, frozen=True):
    """What was offered was acknowledged: the peer has it."""

    message_id: int


class PeerLeft(msgspec.Struct, frozen=True):
    """The peer logged off."""


News = LoggedIn | LoginRefused | Received | Delivered | PeerLeft


class _UnderWay(msgspec.Struct):
    """The message that is being sent."""

    message_id: int
    data: bytes
    sent_at_s: float
    sent: int = 1


class LinkSession:
    """One session, from the connection's beginning to its end.

    Parameters
    ----------
    application
        Our application id, at most 8 characters.
    now_s
        The time.
    password
        What to log in with; None on the side that is logged in to.
    check
        On that side: says who may log in.
    heartbeat_s, resend_s
        See `HEARTBEAT_S`, `RESEND_S`.
    """

    def __init__(
        self,
        application: str,
        now_s: float,
        *,
        password: bytes | None = None,
        check: CheckPassword | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        resend_s: float = RESEND_S,
    ) -> None:
        self._application = application
        self._check = check
        self._heartbeat_s = heartbeat_s
        self._resend_s = resend_s
        self._buffer = PacketBuffer()
        self._outgoing = bytearray()
        self._sent_at_s = self._heard_at_s = now_s
        self._is_open = self._is_over = False
        self._may_send = True
        self._last_id = 0
        self._under_way: _UnderWay | None = None
        self._waiting: dict[int, bytes] = {}
        self._acknowledged: tuple[int, bytes] | None = None
        if password is not None:
            self._send(PacketType.LOGIN_RQST, now_s, data=password)

    @property
    def can_send(self) -> bool:
        """Say whether `offer` may be called: logged in, nothing under way, peer takes data."""
        return self._is_open and self._may_send and self._under_way is None

    def outgoing(self) -> bytes:
        """Give the bytes to write to the peer now, once."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def offer(self, data: bytes, now_s: float) -> int:
        """Send a message; gives the id its `Delivered` will carry.

        Raises
        ------
        ProtocolError
            It is too long for a packet.
        ValueError
            `can_send` is false.
        """
        if not self.can_send:
            raise ValueError("nothing can be sent now")
        message_id = self._last_id % 0xFFFF + 1  # 0 is no message's
        self._send(PacketType.ACK_DATA, now_s, message_id, data)
        self._last_id = message_id
        self._under_way = _UnderWay(message_id, data, now_s)
        return message_id

    def acknowledge(self, message_id: int, now_s: float) -> None:
        """Tell the peer that a message is stored."""
        data = self._waiting.pop(message_id, None)
        if data is not None:
            self._acknowledged = (message_id, data)
            self._send(PacketType.ACK_MSG, now_s, message_id)

    def pause(self, now_s: float, *, is_paused: bool = True) -> None:
        """Ask the peer to send nothing for now, or to go on."""
        self._send(PacketType.DATA_OFF if is_paused else PacketType.DATA_ON, now_s)

    def log_off(self, now_s: float) -> None:
        """Say good-bye; nothing is sent or taken in afterwards."""
        self._send(PacketType.LOG_OFF, now_s)
        self._is_over = True

    def receive(self, received: bytes, now_s: float) -> Iterator[News]:
        """Take in bytes from the peer; gives what is new. Iterate it to its end.

        Raises
        ------
        ProtocolError
            The peer does not follow the protocol: disconnect.
        """
        self._heard_at_s = now_s
        self._buffer.feed(received)
        packets = self._buffer.packets()
        while not self._is_over and (packet := next(packets, None)) is not None:
            yield from self._take(packet, now_s)

    def tick(self, now_s: float) -> None:
        """Let time pass: heartbeats and repetitions become outgoing.

        Raises
        ------
        ProtocolError
            The peer is silent or does not answer: disconnect.
        """
        if now_s - self._heard_at_s >= self._longest_silence_s:
            raise ProtocolError(f"nothing heard for {now_s - self._heard_at_s:.0f} s")
        under_way = self._under_way
        if under_way is not None and self._may_send:
            self._resend(under_way, now_s, after_s=self._resend_s)
        if self._is_open and now_s - self._sent_at_s >= self._heartbeat_s:
            self._send(PacketType.STATUS, now_s)

    def due_in_s(self, now_s: float) -> float:
        """Say in how many seconds at most `tick` is to be called."""
        due_s = [self._heard_at_s + self._longest_silence_s]
        if self._is_open:
            due_s.append(self._sent_at_s + self._heartbeat_s)
        if self._under_way is not None and self._may_send:
            due_s.append(self._under_way.sent_at_s + self._resend_s)
        return max(0.0, min(due_s) - now_s)

    @property
    def _longest_silence_s(self) -> float:
        limit_s = 2 * self._heartbeat_s
        return limit_s if self._is_open else min(limit_s, LOGIN_S)

    def _take(self, packet: Packet, now_s: float) -> Iterator[News]:
        if not self._is_open:
            yield from self._log_in(packet, now_s)
        elif packet.type in {PacketType.DATA, PacketType.ACK_DATA}:
            yield from self._take_data(packet, now_s)
        elif packet.type in {PacketType.ACK_MSG, PacketType.NAK_MSG}:
            yield from self._take_answer(packet, now_s)
        elif packet.type == PacketType.LOG_OFF:
            self._is_over = True
            yield PeerLeft()
        elif packet.type in {PacketType.DATA_ON, PacketType.DATA_OFF}:
            self._may_send = packet.type == PacketType.DATA_ON
        elif packet.type != PacketType.STATUS:
            raise ProtocolError(f"{packet.type.name} after the login")

    def _log_in(self, packet: Packet, now_s: float) -> Iterator[News]:
        if self._check is not None:
            if packet.type != PacketType.LOGIN_RQST or len(packet.data) > LONGEST_PASSWORD:
                raise ProtocolError(f"{packet.type.name} before the login")
            self._is_open = self._check(packet.application, packet.data)
            answer = PacketType.LOGIN_ACCEPT if self._is_open else PacketType.LOGIN_REJECT
            self._send(answer, now_s)
        elif packet.type in {PacketType.LOGIN_ACCEPT, PacketType.LOGIN_REJECT}:
            self._is_open = packet.type == PacketType.LOGIN_ACCEPT
        elif packet.type in {PacketType.STATUS, PacketType.DATA_ON, PacketType.DATA_OFF}:
            return
        else:
            raise ProtocolError(f"{packet.type.name} before the login")
        self._is_over = not self._is_open
        told = LoggedIn if self._is_open else LoginRefused
        yield told(packet.application)

    def _take_data(self, packet: Packet, now_s: float) -> Iterator[News]:
        if packet.type == PacketType.DATA:
            yield Received(packet.data, None)
        elif self._acknowledged == (packet.message_id, packet.data):
            self._send(PacketType.ACK_MSG, now_s, packet.message_id)  # the first one was lost
        elif packet.message_id in self._waiting:
            if self._waiting[packet.message_id] != packet.data:
                raise ProtocolError(f"message {packet.message_id} came twice and differs")
        else:
            if len(self._waiting) >= MOST_WAITING:
                raise ProtocolError(f"more than {MOST_WAITING} messages without an acknowledgement")
            self._waiting[packet.message_id] = packet.data
            yield Received(packet.data, packet.message_id)

    def _take_answer(self, packet: Packet, now_s: float) -> Iterator[News]:
        under_way = self._under_way
        if under_way is None or under_way.message_id != packet.message_id:
            return  # an answer to what was sent twice
        if packet.type == PacketType.ACK_MSG:
            self._under_way = None
            yield Delivered(packet.message_id)
        elif self._may_send:
            self._resend(under_way, now_s, after_s=self._resend_s / 4)

    def _resend(self, under_way: _UnderWay, now_s: float, *, after_s: float) -> None:
        """Send a message again, unless that was done just now."""
        if now_s - under_way.sent_at_s < after_s:
            return
        if under_way.sent >= MOST_UNANSWERED:
            raise ProtocolError(f"a message was sent {under_way.sent} times without an answer")
        under_way.sent += 1
        under_way.sent_at_s = now_s
        self._send(PacketType.ACK_DATA, now_s, under_way.message_id, under_way.data)

    def _send(self, kind: PacketType, now_s: float, message_id: int = 0, data: bytes = b"") -> None:
        if not self._is_over:
            self._outgoing += encode_packet(Packet(kind, self._application, message_id, data))
            self._sent_at_s = now_s


def passwords_of(partners: Mapping[str, bytes]) -> CheckPassword:
    """Give a check of passwords by application id; wrong and unknown take the same time."""

    def check(application: str, password: bytes) -> bool:
        expected = partners.get(application)
        is_right = hmac.compare_digest(password, b"?" if expected is None else expected)
        return is_right and expected is not None

    return check
