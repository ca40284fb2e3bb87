"""Renew the gateway's certificate at two thirds of its life, and find out why a broker refuses it.

A process of its own does the work: the daemon stays small. Nothing on disk or on the link changes
until the next certificate is there; then the link is made anew, which loses nothing.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from aerocast_agent.enrolment.identity import Dates, Outcome, read_dates

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
TRY_AGAIN_S = 1800.0
UNHEARD_FOR_S = 60.0
"""When nobody has heard us for so long there may be a reason: the hub knows it."""
ANSWER_WITHIN_S = 60.0


class Renewing:
    """Keeps the certificate of an enrolled gateway good.

    Parameters
    ----------
    url
        The hub's web address.
    is_heard
        Whether there is a link to the broker, and a hub that listens to us.
    renewed
        Called when there is a new certificate.

    Attributes
    ----------
    problem
        Why the hub gives no certificate any more; None when it does.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        is_heard: Callable[[], bool],
        renewed: Callable[[], None],
        *,
        look_every_s: float = LOOK_EVERY_S,
        unheard_for_s: float = UNHEARD_FOR_S,
    ) -> None:
        self.problem: str | None = None
        self._url = url
        self._folder = folder
        self._is_heard = is_heard
        self._renewed = renewed
        self._look_every_s, self._unheard_for_s = look_every_s, unheard_for_s
        self._unheard_since_s: float | None = None
        self._not_before_s = 0.0

    def dates(self) -> Dates | None:
        """Give the dates of the present certificate; None when there is none to renew."""
        return read_dates(self._folder)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._look_every_s)

    async def look(self) -> None:
        """Renew when it is time; ask how we stand when nobody has heard us for a while."""
        now_s = time.monotonic()
        if self._is_heard():
            self._unheard_since_s = None
        elif self._unheard_since_s is None:
            self._unheard_since_s = now_s
        dates = self.dates()
        if dates is None or now_s < self._not_before_s:
            return
        if time.time() * 1e6 >= dates.renew_at_us:
            await self._ask("renew")
        elif (
            self._unheard_since_s is not None
            and now_s - self._unheard_since_s > self._unheard_for_s
        ):
            await self._ask("ask")

    def _unheard_s(self, now_s: float) -> float:
        return 0.0 if self._unheard_since_s is None else now_s - self._unheard_since_s

    async def _ask(self, verb: Literal["renew", "ask"]) -> None:
        self._not_before_s = time.monotonic() + TRY_AGAIN_S
        outcome = await self._in_a_process(verb)
        if outcome.error is None:
            self.problem = None
            if verb == "renew":
                log.info("the certificate is renewed: connecting with it")
                self._renewed()
            return
        if outcome.refused:
            self.problem = outcome.error
        log.warning("no %s of the certificate: %s", verb, outcome.error)

    async def _in_a_process(self, verb: str) -> Outcome:
        command = (sys.executable, "-m", "aerocast_agent.enrolment", verb, self._url)
        try:
            process = await asyncio.create_subprocess_exec(
                *command, str(self._folder), stdout=asyncio.subprocess.PIPE
            )
        except OSError as error:
            return Outcome(error=f"no process can be started: {error}")
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                told, _ = await process.communicate()
            return msgspec.json.decode(told, type=Outcome)
        except TimeoutError:
            return Outcome(error=f"no answer within {ANSWER_WITHIN_S:.0f} s")
        except msgspec.DecodeError:
            return Outcome(error="the process that renews ended without a word")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
