"""Driver for Impinj R700 readers by their HTTP stream (IoT device interface, version 1)."""

import asyncio
from typing import TypeVar

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.text_lines import LineBuffer
from aerocast_protocols.network_readers.impinj import (
    STATUS_PATH,
    STREAM_PATH,
    decode_events,
    decode_status,
    start_path,
)
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept, Fault, ProbeReport
from aerocast_agent.http_client import HttpClient, Reply, Stream
from aerocast_agent.network_reader import Access, Reports

T = TypeVar("T")
LONGEST_LINE = 64 * 1024
SHORTEST_ANSWER_S = 1.0
QUIET_S = 10.0  # after so long without a byte the reader is asked whether it is there
_UNAUTHORIZED, _NO_CONTENT, _MULTIPLE = 401, 204, 300


class R700Stream:
    """Reads tags, inputs and antennas of one reader.

    An inventory that runs is left alone; one is begun only when the reader is idle.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    url
        The reader's address, ``https://host``.
    preset
        The inventory to begin when it is idle; None: begin none.
    quiet_s
        After so long without a byte the reader is asked whether it is there.
    """

    def __init__(
        self,
        name: str,
        url: str,
        access: Access,
        preset: str | None = None,
        *,
        quiet_s: float = QUIET_S,
    ) -> None:
        self.name = name
        self._url = url
        self._client = HttpClient(url, access, answer_limit_s=max(quiet_s, SHORTEST_ANSWER_S))
        self._preset = preset
        self._quiet_s = quiet_s
        self._told_idle = False

    async def run(self, accept: Accept) -> None:
        """Read until the reader is lost (``OSError``, ``TimeoutError``, ``ProtocolError``)."""
        self._told_idle = False
        await self._see_that_it_reads(accept)
        async with self._client.open("GET", STREAM_PATH) as stream:
            # It may keep its answer back until there is an event.
            opening = asyncio.ensure_future(stream.head())
            try:
                await asyncio.wait({opening}, timeout=self._quiet_s)
                if opening.done():
                    self._check(Reply(opening.result().status, b""), STREAM_PATH)
                accept(
                    DeviceEvent(
                        device=self.name,
                        boot_ns=clock.boot_ns(),
                        event="connected",
                        detail=self._url[-512:],
                    )
                )
            except BaseException:
                opening.cancel()
                raise
            head = await self._patiently(opening, accept)
            self._check(Reply(head.status, b""), STREAM_PATH)
            await self._listen(stream, accept)

    async def probe(self) -> ProbeReport:
        """Ask the reader what it does, on a connection of its own."""
        reply = await self._client.ask("GET", STATUS_PATH)
        self._check(reply, STATUS_PATH)
        status = decode_status(reply.body)
        says: dict[str, str | int | float | bool] = {"inventory": status.status}
        if status.serial_number is not None:
            says["serial"] = status.serial_number
        faults = () if status.status != "idle" else (_idle(self._preset),)
        return ProbeReport(says=says, faults=faults)

    async def _listen(self, stream: Stream, accept: Accept) -> None:
        reports = Reports(self.name, decode_events, accept)
        lines = LineBuffer(b"\r\n", LONGEST_LINE)
        while received := await self._patiently(asyncio.ensure_future(stream.read()), accept):
            arrived_ns = clock.boot_ns()
            lines.feed(received)
            for line in lines.lines():
                reports.take(line, arrived_ns)
        raise ConnectionResetError(f"{self.name} ended its stream")

    async def _patiently(self, coming: asyncio.Future[T], accept: Accept) -> T:
        """Wait for as long as the reader is there: it is asked whenever it has been quiet."""
        try:
            while not (await asyncio.wait({coming}, timeout=self._quiet_s))[0]:
                await self._see_that_it_reads(accept)
            return coming.result()
        finally:
            if not coming.done():
                coming.cancel()
                await asyncio.wait({coming})

    async def _see_that_it_reads(self, accept: Accept) -> None:
        """Ask whether the reader is there and reads, and let it begin where that is ours to do."""
        reply = await self._client.ask("GET", STATUS_PATH)
        self._check(reply, STATUS_PATH)
        if decode_status(reply.body).status != "idle":
            self._told_idle = False
            return
        if self._preset is not None:
            path = start_path(self._preset)
            self._check(await self._client.ask("POST", path), path)
        elif not self._told_idle:
            self._told_idle = True
            fault = _idle(None)
            accept(
                DeviceEvent(
                    device=self.name,
                    boot_ns=clock.boot_ns(),
                    event="configuration",
                    detail=f"{fault.found}: {fault.mend}",
                )
            )

    def _check(self, reply: Reply, path: str) -> None:
        if reply.status == _UNAUTHORIZED:
            raise PermissionError(f"{self.name} does not know this user and password")
        if not 200 <= reply.status < _MULTIPLE:
            said = reply.body[:120].decode("utf-8", "replace")
            raise ProtocolError(
                f"{self.name} answered {reply.status} to {path}: {said}".rstrip(": ")
            )
        if reply.status == _NO_CONTENT and path in {STREAM_PATH, STATUS_PATH}:
            raise ProtocolError(f"{self.name} has nothing to say at {path}")


def _idle(preset: str | None) -> Fault:
    return Fault(
        found="the reader is idle",
        mend="start an inventory on it, or name a preset in agent.toml"
        if preset is None
        else f"the daemon begins {preset} when it connects: is it running?",
    )
