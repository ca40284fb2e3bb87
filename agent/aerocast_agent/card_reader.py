"""A PC/SC card reader, worked by one thread of its own: pyscard blocks, the daemon must not."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from aerocast_protocols.smartcard.reading import Card, Talk

from aerocast_agent import clock

CLOSING_LIMIT_S = 2.0
LOOK_UP_EVERY_MS = 5000
"""How long the thread sleeps at most: a cancel that comes just before it falls asleep is lost."""

_Result = TypeVar("_Result")
Handle = Any  # pyscard's, opaque


class Change(NamedTuple):
    """A card came or went; ``atr`` is what it answered to reset, empty when there is none."""

    is_present: bool
    atr: bytes
    boot_ns: int


class CardLostError(OSError):
    """The card was taken away while it was read, or cannot be read."""


class CardReader:
    """A reader: ``async with CardReader("ACR122") as reader: change = await reader.change()``.

    Its thread sleeps in pcscd until a card comes or goes.

    Parameters
    ----------
    wanted
        Part of the reader's name; empty: the first there is.

    Attributes
    ----------
    name
        What the reader is called in full, once it is open.
    """

    def __init__(self, wanted: str = "") -> None:
        self.name = ""
        self._wanted = wanted
        self._scard: Any = None  # the library, once it is loaded
        self._context: Handle = None
        self._state = 0
        self._is_closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="smartcard")

    async def __aenter__(self) -> Self:
        """Open the reader.

        Raises
        ------
        OSError
            pcscd does not run, or there is no such reader.
        """
        try:
            await self._in_thread(self._open)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the reader."""
        await self._close()

    async def change(self) -> Change:
        """Wait until a card comes or goes; the first call tells at once how it is.

        Raises
        ------
        OSError
            The reader or pcscd is gone.
        """
        return await self._in_thread(self._change)

    async def converse(self, talk: Talk) -> Card:
        """Have a conversation with the card that is there.

        Raises
        ------
        CardLostError
            It is there no more.
        ProtocolError
            It answers what no card answers.
        """
        return await self._in_thread(lambda: self._converse(talk))

    async def _in_thread(self, call: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _open(self) -> None:
        from smartcard import scard  # noqa: PLC0415  an extra, and only where a reader is configured

        self._scard = scard
        result, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
        self._check(result, "is pcscd running? 'systemctl status pcscd.socket'")
        _result, names = scard.SCardListReaders(self._context, [])
        found = [name for name in names if self._wanted.lower() in name.lower()]
        if not found:
            there = ", ".join(names) or "none"
            raise FileNotFoundError(
                f"no card reader {self._wanted!r}; there are: {there}"
                if self._wanted
                else "no card reader is plugged in"
            )
        self.name = found[0]

    def _change(self) -> Change:
        scard = self._scard
        while not self._is_closing:
            result, ((_name, state, atr),) = scard.SCardGetStatusChange(
                self._context, LOOK_UP_EVERY_MS, [(self.name, self._state)]
            )
            if result == scard.SCARD_E_TIMEOUT:
                continue
            self._check(result, self.name)
            was, self._state = self._state, state & ~scard.SCARD_STATE_CHANGED
            if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
                raise ConnectionResetError(f"{self.name} was unplugged")
            present = bool(state & scard.SCARD_STATE_PRESENT)
            # The upper half counts cards: one that came and went in between is noticed by it.
            if (
                not was
                or present != bool(was & scard.SCARD_STATE_PRESENT)
                or (present and state >> 16 != was >> 16)
            ):
                return Change(present, bytes(atr) if present else b"", clock.boot_ns())
        raise ConnectionAbortedError(f"{self.name} is being closed")

    def _converse(self, talk: Talk) -> Card:
        scard = self._scard
        result, card, protocol = scard.SCardConnect(
            self._context,
            self.name,
            scard.SCARD_SHARE_SHARED,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        self._check(result, "the card cannot be talked to", CardLostError)
        try:
            command = next(talk)
            while True:
                result, answer = scard.SCardTransmit(card, protocol, list(command))
                self._check(result, "the card was taken away too soon", CardLostError)
                try:
                    command = talk.send(bytes(answer))
                except StopIteration as end:
                    told: Card = end.value
                    return told
        finally:
            scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)

    def _check(self, result: int, what: str, error: type[OSError] = ConnectionResetError) -> None:
        if result != self._scard.SCARD_S_SUCCESS:
            raise error(f"{what}: {self._scard.SCardGetErrorMessage(result)}")

    async def _close(self) -> None:
        self._is_closing = True
        if self._context is not None:
            self._scard.SCardCancel(self._context)  # wakes the thread
        closed = asyncio.wrap_future(self._thread.submit(self._shut))
        self._thread.shutdown(wait=False)
        await asyncio.wait({closed}, timeout=CLOSING_LIMIT_S)

    def _shut(self) -> None:
        if self._context is not None:
            self._scard.SCardReleaseContext(self._context)
            self._context = None
