"""Sending what is due: signed, several receivers at a time, each attempt bounded."""

import asyncio
import random
import time

import httpx
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.database.engine import Database
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.outgoing_tls import believed
from aerocast_hub.webhooks.destinations import Allowed, RefusedDestinationError, resolve
from aerocast_hub.webhooks.signing import sign
from aerocast_hub.webhooks.store import (
    Due,
    Outcome,
    is_anything_due,
    note_outcome,
    sweep,
    take_due,
)

LOOK_EVERY_S = 0.5
SWEEP_EVERY_S = 3600.0
ANSWER_WITHIN_S = 15.0
MOST_AT_ONCE = 20
LONGEST_ANSWER = 65_536
USER_AGENT = "AeroCast-Webhooks/1"


class Sender:
    """Sends deliveries until cancelled.

    Parameters
    ----------
    allowed
        Where webhooks may go.
    """

    def __init__(self, database: Database, publisher: Publisher, allowed: Allowed) -> None:
        self._database = database
        self._publisher = publisher
        self._allowed = allowed

    async def run(self) -> None:
        """Send what is due until cancelled; a database that does not answer is asked again."""
        swept_at = time.monotonic()
        async with httpx.AsyncClient(
            timeout=ANSWER_WITHIN_S,
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": USER_AGENT},
            verify=believed(),
        ) as client:
            while True:
                try:
                    while await self.send_due(client):
                        pass
                    if time.monotonic() - swept_at > SWEEP_EVERY_S:
                        swept_at = time.monotonic()
                        async with self._database.writing() as session:
                            await sweep(session, time.time_ns() // 1000)
                except (SQLAlchemyError, OSError) as error:
                    self._database.tell_failure("webhooks wait", error)
                await asyncio.sleep(LOOK_EVERY_S)

    async def send_due(self, client: httpx.AsyncClient) -> int:
        """Send what is due now; say how many were tried."""
        now_us = time.time_ns() // 1000
        async with self._database.reading() as session:
            if not await is_anything_due(session, now_us):
                return 0
        async with self._database.writing() as session:
            due = await take_due(session, now_us)
        room = asyncio.Semaphore(MOST_AT_ONCE)
        async with asyncio.TaskGroup() as sending:
            for each in due:
                sending.create_task(self._attempt(client, each, room))
        return len(due)

    async def _attempt(self, client: httpx.AsyncClient, due: Due, room: asyncio.Semaphore) -> None:
        async with room:
            outcome = await self._send(client, due)
        now_us = time.time_ns() // 1000
        async with self._database.writing() as session:
            told = await note_outcome(session, due, outcome, now_us, random.random())  # noqa: S311  spreads load
            await write_events(session, told)
        if told:
            self._publisher.wake()

    async def _send(self, client: httpx.AsyncClient, due: Due) -> Outcome:
        try:
            async with asyncio.timeout(2 * ANSWER_WITHIN_S):
                return await self._post(client, due)
        except TimeoutError:
            return Outcome(None, f"no answer within {2 * ANSWER_WITHIN_S:.0f} s")
        except RefusedDestinationError as error:
            return Outcome(None, str(error))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Outcome(None, f"{type(error).__name__}: {error}"[:300])

    async def _post(self, client: httpx.AsyncClient, due: Due) -> Outcome:
        destination = await resolve(due.url, self._allowed)
        message_id, at_s = f"msg_{due.id}", int(time.time())
        headers = {
            "host": destination.host,
            "content-type": due.media_type,
            "webhook-id": message_id,
            "webhook-timestamp": str(at_s),
            due.signature_header: sign(due.secret, message_id, at_s, due.body),
        }
        async with client.stream(
            "POST",
            destination.url,
            content=due.body,
            headers=headers,
            extensions={"sni_hostname": destination.name},
        ) as answer:
            read = 0
            async for part in answer.aiter_raw():
                read += len(part)
                if read > LONGEST_ANSWER:
                    break
        failure = None if answer.is_success else f"answered {answer.status_code}"
        return Outcome(answer.status_code, failure)
