"""Feeds at work: each in its turn by rank, politely, with its health told after every round."""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from aerocast_protocols.errors import ProtocolError
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.database.engine import Database, DatabaseAwayError
from aerocast_hub.database.insert import insert_or_replace
from aerocast_hub.database.turns import NoTurnError
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.outgoing_tls import believed
from aerocast_hub.running import together
from aerocast_hub.weather.feeds.feed_file import Ask, Feed, FeedFile, asks
from aerocast_hub.weather.feeds.feed_tables import FeedRow
from aerocast_hub.weather.feeds.fetching import TIMEOUT_S, Condition, FetchError, fetch
from aerocast_hub.weather.feeds.keeping import Kept, keep
from aerocast_hub.weather.feeds.pacing import Failing, TokenBucket, failed, wait_after
from aerocast_hub.weather.staleness import FRESH_MIN

log = logging.getLogger(__name__)

AGAIN_S = 1.0

STALE_US = FRESH_MIN * 60_000_000
LONGEST_REASON = 300


class FeedWorker:
    """One feed at work.

    Attributes
    ----------
    failing
        How it fails; a feed of lower rank stands by while it does not.
    """

    def __init__(self, feed: Feed, rank: int, hosts: dict[str, TokenBucket]) -> None:
        self.feed, self.rank = feed, rank
        self.failing = Failing()
        self._hosts = hosts
        self._conditions: dict[str, Condition] = {}
        self._dice = random.Random()  # noqa: S311  spreads requests, nothing secret
        self._told: dict[str, object] = {
            "name": feed.name, "product": feed.product, "rank": rank, "state": "waiting",
            "tried_at_us": None, "answered_at_us": None, "new_at_us": None, "newest_us": None,
            "next_at_us": None, "failures": 0, "error": None, "note": None, "requests": 0,
            "unchanged": 0, "refused": 0, "disagreements": 0, "disagreement": None,
        }  # fmt: skip

    @property
    def told(self) -> dict[str, object]:
        """How it is, a row of the table."""
        return dict(self._told)

    def stand_by(self) -> None:
        """Note that a better source answers."""
        self._told["state"] = "standby"

    async def round(self, client: httpx.AsyncClient, database: Database) -> float:
        """Ask once for everything; say after how many seconds to ask again."""
        self._told["tried_at_us"] = _now_us()
        fresh_for_s = 0.0
        try:
            for ask in asks(self.feed):
                fresh_for_s = max(fresh_for_s, await self._one(client, database, ask))
            self._check_age()
        except FetchError as error:
            wait_s = self._fail(str(error), error.retry_after_s, gone=error.kind == "gone")
        except (DatabaseAwayError, NoTurnError):
            raise  # no fault of the source
        except (ProtocolError, OSError) as error:
            wait_s = self._fail(str(error), None, gone=False)
        else:
            self.failing = Failing()
            self._told |= {"state": "answering", "failures": 0, "error": None}
            self._told["answered_at_us"] = _now_us()
            wait_s = max(self.feed.every_s, fresh_for_s) * (0.95 + 0.1 * self._dice.random())
        self._told["next_at_us"] = _now_us() + round(wait_s * 1e6)
        return wait_s

    async def _one(self, client: httpx.AsyncClient, database: Database, ask: Ask) -> float:
        """Ask for one thing and keep it; say for how long there is nothing new, seconds."""
        if self.feed.kind == "file":
            body = await asyncio.to_thread(Path(self.feed.file or "").read_bytes)
            self._note(await keep(database, self.feed, body, ask.airport))
            return 0.0
        host = urlsplit(ask.url).netloc
        bucket = self._hosts.setdefault(host, TokenBucket(self.feed.per_min))
        await asyncio.sleep(bucket.wait_s(time.monotonic()))
        self._add("requests", 1)
        fetched = await fetch(client, ask.url, self._conditions.get(ask.url, Condition()))
        self._told["note"] = fetched.note
        if fetched.body is None:
            self._add("unchanged", fetched.status == 304)
        else:
            kept = await keep(database, self.feed, fetched.body, ask.airport)
            self._note(kept)
        # Only now: what could not be kept is asked for whole again.
        self._conditions[ask.url] = fetched.condition
        return fetched.fresh_for_s

    def _note(self, kept: Kept) -> None:
        self._told["new_at_us"] = _now_us()
        if kept.newest_us is not None:
            self._told["newest_us"] = kept.newest_us
        self._add("refused", kept.refused)
        self._add("disagreements", kept.disagreements)
        if kept.disagreement is not None:
            self._told["disagreement"] = kept.disagreement

    def _check_age(self) -> None:
        """Refuse to call a source well whose newest report is old: another may have newer ones."""
        newest_us = self._told["newest_us"]
        if self.feed.product == "metar" and isinstance(newest_us, int):
            age_us = _now_us() - newest_us
            if age_us > STALE_US:
                raise ProtocolError(f"its newest report is {age_us // 60_000_000} min old")

    def _fail(self, reason: str, retry_after_s: float | None, *, gone: bool) -> float:
        self.failing = failed(self.failing)
        state = "gone" if gone else "open" if self.failing.is_open else "failing"
        reason = reason[:LONGEST_REASON]
        self._told |= {"state": state, "failures": self.failing.failures, "error": reason}
        log.warning("weather feed %s: %s", self.feed.name, reason)
        return wait_after(self.failing, retry_after_s, gone=gone, dice=self._dice)

    def _add(self, name: str, more: int) -> None:
        before = self._told[name]
        self._told[name] = (before if isinstance(before, int) else 0) + more


class Feeds:
    """All feeds of a file at work."""

    def __init__(self, file: FeedFile, database: Database, publisher: Publisher) -> None:
        self._database, self._publisher = database, publisher
        hosts: dict[str, TokenBucket] = {}
        self.workers = [FeedWorker(feed, _rank(feed, file.feeds), hosts) for feed in file.feeds]
        self._changed = asyncio.Event()
        agent = f"AeroCast/{version('aerocast-hub')} ({file.contact})"
        self._client = httpx.AsyncClient(
            headers={"User-Agent": agent},
            follow_redirects=False,
            timeout=TIMEOUT_S,
            verify=believed(),
        )

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            await self._begin()
            await together(*(self._work(worker) for worker in self.workers))
        finally:
            await self._client.aclose()

    async def _begin(self) -> None:
        """Tell of no feeds but these; a database that does not answer is asked again."""
        while True:
            try:
                async with self._database.writing() as session:
                    await session.execute(delete(FeedRow))
                    await insert_or_replace(session, FeedRow, [each.told for each in self.workers])
            except (SQLAlchemyError, OSError) as error:
                self._database.tell_failure("weather feeds wait", error)
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def _work(self, worker: FeedWorker) -> None:
        while True:
            if not self.is_turn_of(worker):
                worker.stand_by()
                await self._tell(worker)
                await self._wait_for_change(worker.feed.every_s)
                continue
            before = worker.failing.failures
            try:
                wait_s = await worker.round(self._client, self._database)
            except (SQLAlchemyError, OSError) as error:
                self._database.tell_failure(f"weather feed {worker.feed.name} waits", error)
                wait_s = worker.feed.every_s
            await self._tell(worker)
            self._publisher.wake()
            if (before == 0) != (worker.failing.failures == 0):
                self._changed.set()
                self._changed = asyncio.Event()
            await asyncio.sleep(wait_s)

    def is_turn_of(self, worker: FeedWorker) -> bool:
        """Say whether no better source of its product is well."""
        return worker.feed.always or all(
            other.failing.failures > 0
            for other in self.workers
            if other.feed.product == worker.feed.product and other.rank < worker.rank
        )

    async def _wait_for_change(self, longest_s: float) -> None:
        try:
            async with asyncio.timeout(longest_s):
                await self._changed.wait()
        except TimeoutError:
            log.debug("looking by itself")

    async def _tell(self, worker: FeedWorker) -> None:
        try:
            async with self._database.writing() as session:
                await insert_or_replace(session, FeedRow, [worker.told])
        except (SQLAlchemyError, OSError) as error:
            self._database.tell_failure(f"word of weather feed {worker.feed.name} waits", error)


def _rank(feed: Feed, feeds: Sequence[Feed]) -> int:
    """Give its place among the sources of its product, from 1."""
    same = [each.name for each in feeds if each.product == feed.product]
    return same.index(feed.name) + 1


def _now_us() -> int:
    return time.time_ns() // 1000
