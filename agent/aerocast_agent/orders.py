"""Carry out what the hub orders: a fixed list of verbs, each id at most once."""

import asyncio
import logging
from collections import OrderedDict

import msgspec
from aerocast_protocols import commands
from aerocast_protocols.commands import Command, CommandResult
from aerocast_protocols.errors import ProtocolError

from aerocast_agent import clock
from aerocast_agent.attending import Attendant, UnknownDeviceError
from aerocast_agent.spool import Spool

log = logging.getLogger(__name__)

MOST_REMEMBERED = 256
LONGEST_OUTPUT = 16_384


class Orders:
    """Answers commands and remembers the ids it has run."""

    def __init__(self, spool: Spool, attendant: Attendant) -> None:
        self._spool = spool
        self._attendant = attendant
        self._run: OrderedDict[str, None] = OrderedDict()

    async def answer(self, payload: bytes) -> bytes | None:
        """Carry out a command and give its encoded result; None when there is nothing to say."""
        try:
            command = commands.decode(payload)
        except ProtocolError as error:
            log.warning("%s", error)
            return None
        if not isinstance(command, Command) or command.id in self._run:
            return None
        self._run[command.id] = None
        if len(self._run) > MOST_REMEMBERED:
            self._run.popitem(last=False)
        return commands.encode(await self._carry_out(command))

    async def _carry_out(self, command: Command) -> CommandResult:
        log.info("the hub orders %s (%s)", command.verb, command.id)
        if clock.quality() >= clock.NETWORK and clock.wall_ns() // 1000 > command.expires_at_us:
            return CommandResult(id=command.id, error="it came after it expired")
        if command.verb == "ping":
            return CommandResult(id=command.id, output="pong")
        if command.verb == "flush":
            await asyncio.wrap_future(self._spool.flush())
            return CommandResult(id=command.id, output="flushed")
        if command.verb in {"probe", "restart_device"}:
            return await self._attend(command)
        return CommandResult(
            id=command.id, error=f"{command.verb} is not available in this version"
        )

    async def _attend(self, command: Command) -> CommandResult:
        device = command.device or ""
        try:
            if command.verb == "restart_device":
                await self._attendant.restart(device)
                return CommandResult(id=command.id, output="restarted")
            probed = msgspec.json.encode(await self._attendant.probe(device)).decode()
        except UnknownDeviceError as error:
            return CommandResult(id=command.id, error=str(error)[:256])
        return CommandResult(id=command.id, output=probed[:LONGEST_OUTPUT])
