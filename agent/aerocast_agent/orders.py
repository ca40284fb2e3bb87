"""Carry out what the hub orders: a fixed list of verbs, each id at most once."""

import asyncio
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import msgspec
from aerocast_protocols import commands
from aerocast_protocols.commands import LONGEST_OUTPUT, Command, CommandResult
from aerocast_protocols.errors import ProtocolError

from aerocast_agent import clock
from aerocast_agent.attending import Attendant, UnknownDeviceError
from aerocast_agent.diagnosing import DiagnosisError
from aerocast_agent.spool import Spool

log = logging.getLogger(__name__)

MOST_REMEMBERED = 256
MOST_ANSWERS = 8
"""Kept for orders that come again because the hub missed the answer: 16,384 characters each."""
LONGEST_ERROR = 256


class Orders:
    """Answers commands and remembers the ids it has run.

    Parameters
    ----------
    diagnose
        Sends the hub a bundle of diagnostics and says where it is; raises `DiagnosisError`.
    """

    def __init__(
        self, spool: Spool, attendant: Attendant, diagnose: Callable[[], Awaitable[str]]
    ) -> None:
        self._spool = spool
        self._attendant = attendant
        self._diagnose = diagnose
        self._diagnosing = asyncio.Lock()
        self._run: OrderedDict[str, None] = OrderedDict()
        self._answers: OrderedDict[str, bytes] = OrderedDict()

    async def answer(self, payload: bytes) -> bytes | None:
        """Carry out a command and give its encoded result; None when there is nothing to say.

        A command that comes again is not run again: its answer is given once more, while it is
        kept.
        """
        try:
            command = commands.decode(payload)
        except ProtocolError as error:
            log.warning("%s", error)
            return None
        if not isinstance(command, Command):
            return None
        if command.id in self._run:
            return self._answers.get(command.id)
        self._run[command.id] = None
        if len(self._run) > MOST_REMEMBERED:
            self._run.popitem(last=False)
        answer = commands.encode(await self._carry_out(command))
        self._answers[command.id] = answer
        if len(self._answers) > MOST_ANSWERS:
            self._answers.popitem(last=False)
        return answer

    async def _carry_out(self, command: Command) -> CommandResult:
        log.info("the hub orders %s (%s)", command.verb, command.id)
        if clock.quality() >= clock.NETWORK and clock.wall_ns() // 1000 > command.expires_at_us:
            return CommandResult(id=command.id, error="it came after it expired")
        try:
            output = await self._do(command)
        except (UnknownDeviceError, DiagnosisError, sqlite3.Error) as error:
            told = str(error) or type(error).__name__
            return CommandResult(id=command.id, error=told[:LONGEST_ERROR])
        return CommandResult(id=command.id, output=output[:LONGEST_OUTPUT])

    async def _do(self, command: Command) -> str:
        device = command.device or ""
        match command.verb:
            case "ping":
                return "pong"
            case "flush":
                await asyncio.wrap_future(self._spool.flush())
                return "flushed"
            case "restart_device":
                await self._attendant.restart(device)
                return "restarted"
            case "probe":
                return msgspec.json.encode(await self._attendant.probe(device)).decode()
            case "diagnose":
                if self._diagnosing.locked():
                    raise DiagnosisError("another is on its way to the hub")
                async with self._diagnosing:
                    return await self._diagnose()
