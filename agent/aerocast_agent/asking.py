"""What commands ask of a running daemon, and how it answers.

The daemon listens on a socket in Linux's abstract namespace, named after its spool: nothing to
clean up, nothing written to the card. A question is one line of JSON; so are the answers. Anyone on
the machine may ask how it is; the rest is for the daemon's own account and root.
"""

import asyncio
import contextlib
import hashlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from typing import Annotated, Literal, NamedTuple, TypeVar

import msgspec

from aerocast_agent.adjusting import Adjusted
from aerocast_agent.attending import Attendant, UnknownDeviceError
from aerocast_agent.probing import Probed
from aerocast_agent.status import Status
from aerocast_agent.watching import Accepted, Watching

ANSWER_WITHIN_S = 5.0
DEVICE_WITHIN_S = 90.0
"""A device may take its time over each of reading back, writing, and putting things back."""
LONGEST_QUESTION = 1024


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes
    ----------
    ask
        ``status``; ``health``: report it to the hub at once; ``send_again``: whatever is on disk,
        now; ``watch``: tell of every observation as it is accepted; ``probe``: how one device is;
        ``compare``: how it differs from its profile; ``adjust``: bring it there.
    device
        Which device, for the last three.
    """

    ask: Literal["status", "health", "send_again", "watch", "probe", "compare", "adjust"]
    device: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to what needs none; ``refused`` says why it was not done."""

    refused: str | None = None


class Answers(NamedTuple):
    """Who answers what."""

    status: Callable[[], Awaitable[Status]]
    health: Callable[[], Awaitable[None]]
    send_again: Callable[[], None]
    watching: Watching
    attendant: Attendant


class NotPermittedError(Exception):
    """The daemon does not do this for our account."""


def socket_name(spool: str) -> str:
    """Name the socket of the daemon that owns a spool."""
    return "\0aerocast-agent-" + hashlib.sha256(spool.encode()).hexdigest()[:32]


class Desk:
    """Where the daemon that owns a spool is asked.

    Parameters
    ----------
    spool
        The file's path, which names the socket.
    """

    def __init__(self, spool: str, answers: Answers) -> None:
        self._spool = spool
        self._answers = answers
        self._server: asyncio.AbstractServer | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> bool:
        """Begin to answer; False when another daemon answers for this spool already."""
        try:
            self._server = await asyncio.start_unix_server(
                self._accept, socket_name(self._spool), limit=LONGEST_QUESTION
            )
        except OSError:
            return False
        return True

    async def close(self) -> None:
        """Stop answering, also those who watch."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer in a task of our own: asyncio's would complain of being cancelled."""
        task = asyncio.create_task(self._attend(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), contextlib.suppress(OSError):  # who asks may leave at any time
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    line = await reader.readuntil(b"\n")
                question = msgspec.json.decode(line, type=Question)
            except (TimeoutError, ValueError, EOFError, asyncio.LimitOverrunError) as error:
                refused = f"not understood: {error}"[:200]
                writer.write(msgspec.json.encode(Done(refused=refused)) + b"\n")
                return
            await _answer(question, reader, writer, self._answers)
            await writer.drain()


async def _answer(
    question: Question,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answers: Answers,
) -> None:
    ask = question.ask
    if ask == "status":
        writer.write(msgspec.json.encode(await answers.status()) + b"\n")
        return
    if not _may_order(writer):
        refused = "this is for root and the daemon's own account"
        writer.write(msgspec.json.encode(Done(refused=refused)) + b"\n")
        return
    if ask == "watch":
        await _tell(reader, writer, answers.watching)
        return
    writer.write(msgspec.json.encode(await _do(question, answers)) + b"\n")


async def _do(question: Question, answers: Answers) -> Done | Probed | Adjusted:
    try:
        if question.ask == "probe":
            return await answers.attendant.probe(question.device)
        if question.ask in {"compare", "adjust"}:
            dry_run = question.ask == "compare"
            return await answers.attendant.adjust(question.device, dry_run=dry_run)
    except UnknownDeviceError as error:
        return Done(refused=str(error))
    if question.ask == "health":
        await answers.health()
    else:
        answers.send_again()
    return Done()


async def _tell(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, watching: Watching
) -> None:
    """Tell of what is accepted until the one who asked leaves."""
    writer.write(msgspec.json.encode(Done()) + b"\n")
    left = asyncio.ensure_future(reader.read(1))
    try:
        with watching.begin() as watcher:
            while not left.done():
                arrived = asyncio.ensure_future(watcher.arrived.wait())
                await asyncio.wait((arrived, left), return_when=asyncio.FIRST_COMPLETED)
                arrived.cancel()
                for accepted in watcher.take():
                    writer.write(msgspec.json.encode(accepted) + b"\n")
                await writer.drain()
    finally:
        left.cancel()


def _may_order(writer: asyncio.StreamWriter) -> bool:
    peer: socket.socket = writer.get_extra_info("socket")
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return uid in {0, os.geteuid()}


def ask_daemon(spool: str) -> Status | None:
    """Ask the daemon how it is; None when it is down."""
    try:
        for line in _asked(spool, "status"):
            return msgspec.json.decode(line, type=Status)
    except (OSError, msgspec.MsgspecError):
        return None
    return None


def order_daemon(spool: str, ask: Literal["health", "send_again"]) -> bool:
    """Have the daemon do something; False when it is down.

    Raises
    ------
    NotPermittedError
        It does not do that for our account.
    """
    try:
        for line in _asked(spool, ask):
            _check(msgspec.json.decode(line, type=Done))
            return True
    except (OSError, msgspec.MsgspecError):
        return False
    return False


A = TypeVar("A", Probed, Adjusted)


def ask_of_device(
    spool: str, ask: Literal["probe", "compare", "adjust"], device: str, answer: type[A]
) -> A | None:
    """Have the daemon attend to a device; None when the daemon is down.

    Raises
    ------
    NotPermittedError
        It does not do that for our account, or knows no such device.
    """
    try:
        for line in _asked(spool, ask, device=device, within_s=DEVICE_WITHIN_S):
            if line.startswith(b'{"refused"'):
                _check(msgspec.json.decode(line, type=Done))
            return msgspec.json.decode(line, type=answer)
    except ConnectionRefusedError:
        return None
    return None


def watch_daemon(spool: str) -> Iterator[Accepted] | None:
    """Give what the daemon accepts from now on, until it stops; None when it is down.

    Raises
    ------
    NotPermittedError
        It does not tell our account.
    """
    lines = _asked(spool, "watch", within_s=None)
    try:
        _check(msgspec.json.decode(next(lines), type=Done))
    except (OSError, StopIteration, msgspec.MsgspecError):
        return None
    return _accepted(lines)


def _accepted(lines: Iterator[bytes]) -> Iterator[Accepted]:
    try:
        for line in lines:
            yield msgspec.json.decode(line, type=Accepted)
    except (OSError, msgspec.MsgspecError):
        return  # it stopped in mid-sentence


def _check(done: Done) -> None:
    if done.refused is not None:
        raise NotPermittedError(done.refused)


def _asked(
    spool: str, ask: str, *, device: str = "", within_s: float | None = ANSWER_WITHIN_S
) -> Iterator[bytes]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as to_daemon:
        to_daemon.settimeout(ANSWER_WITHIN_S)
        to_daemon.connect(socket_name(spool))
        to_daemon.sendall(msgspec.json.encode({"ask": ask, "device": device}) + b"\n")
        to_daemon.settimeout(within_s)
        with to_daemon.makefile("rb") as answers:
            yield from answers
