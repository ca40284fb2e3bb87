"""Read back and write a scanner's settings, whatever line it is on."""

import asyncio

from aerocast_protocols.barcode.programming import (
    Answer,
    AnswerBuffer,
    encode_ask,
    encode_closing,
    encode_opening,
    encode_set,
)
from aerocast_protocols.errors import ProtocolError

from aerocast_agent.driver import Settings
from aerocast_agent.profiles import ScannerProfile
from aerocast_agent.programmed_scanner import Line

ANSWER_WITHIN_S = 3.0


class ScannerProgramming:
    """One conversation with one scanner.

    Parameters
    ----------
    profile
        In whose dialect, and which settings are of interest: scanners have hundreds.
    """

    def __init__(self, name: str, profile: ScannerProfile, line: Line) -> None:
        self._name, self._profile = name, profile
        self._line = line
        self._buffer = AnswerBuffer(profile.dialect)

    async def read_back(self) -> Settings:
        """Give the profile's settings as the scanner has them; those it does not have left out."""
        dialect, found = self._profile.dialect, dict[str, str]()
        await self._say(encode_opening(dialect))
        for name in self._profile.settings:
            answer = await self._ask(encode_ask(dialect, name), name)
            if answer.error is None:
                found[name] = answer.value
        await self._say(encode_closing(dialect, written=False))
        return found

    async def apply(self, settings: Settings) -> None:
        """Write settings, and have the scanner keep them.

        Raises
        ------
        ProtocolError
            It refused one.
        """
        dialect = self._profile.dialect
        await self._say(encode_opening(dialect))
        for name, value in settings.items():
            answer = await self._ask(encode_set(dialect, name, str(value)), name)
            if answer.error is not None:
                raise ProtocolError(f"{self._name} refused {name} = {value}: {answer.error}")
        await self._say(encode_closing(dialect, written=True))

    async def _say(self, commands: list[bytes]) -> None:
        for command in commands:
            answer = await self._ask(command)
            if answer.error is not None:
                raise ProtocolError(f"{self._name} refused to be programmed: {answer.error}")

    async def _ask(self, command: bytes, name: str | None = None) -> Answer:
        """Send a command and wait for its answer; answers that name another setting are none."""
        await self._line.write(command)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                while True:
                    self._buffer.feed(await self._line.read())
                    for answer in self._buffer.answers():
                        if None in {answer.name, name} or _same(answer.name, name):
                            return answer
        except TimeoutError:
            raise TimeoutError(
                f"{self._name} did not answer in {ANSWER_WITHIN_S:g} s: is it set to take commands "
                f"on this line, and are they {self._profile.dialect}?"
            ) from None


def _same(told: str | None, asked: str | None) -> bool:
    return (told or "").casefold() == (asked or "").casefold()
