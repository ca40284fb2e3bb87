"""Answers about airports kept for a moment: many who ask at once ask the database once."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from typing import NamedTuple

import msgspec

from aerocast_hub.database.engine import Database
from aerocast_hub.weather.stations import station_of
from aerocast_hub.weather.store import AirportWeather, weather_at

KEPT_S, LONGEST_S = 1.0, 3.0
MOST_KEPT = 5000


class Answer(NamedTuple):
    """An airport's weather; ``etag`` stays while nothing but the age of it changes."""

    weather: AirportWeather | None
    etag: str


class RecentWeather:
    """Remembers the newest answers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[str, tuple[float, Answer]] = OrderedDict()
        self._coming: dict[str, asyncio.Task[Answer]] = {}
        self._one_at_a_time = asyncio.Lock()  # a burst of questions must not hold up the others

    async def weather(self, code: str) -> Answer:
        """Give an airport's weather, at most three seconds old; its age is that of now.

        After one second it is asked for anew, while the former answer still serves.
        """
        station, now_s = station_of(code), time.monotonic()
        asked_s, kept = self._kept.get(station, (now_s - LONGEST_S, None))
        if now_s - asked_s >= KEPT_S:
            coming = self._coming.get(station) or self._ask_anew(station, now_s)
            if kept is None or now_s - asked_s >= LONGEST_S:
                kept = await asyncio.shield(coming)
        answer = kept if kept is not None else await self._ask(station)
        weather = answer.weather
        if weather is None or weather.observed_at_us is None:
            return answer
        age_s = time.time() - weather.observed_at_us / 1e6
        return answer._replace(weather=msgspec.structs.replace(weather, age_s=age_s))

    def _ask_anew(self, station: str, now_s: float) -> "asyncio.Task[Answer]":
        coming = asyncio.create_task(self._ask(station))
        self._coming[station] = coming

        def keep(done: "asyncio.Task[Answer]") -> None:
            self._coming.pop(station, None)
            if done.cancelled() or done.exception() is not None or done.result().weather is None:
                self._kept.pop(station, None)
                return
            self._kept[station] = (now_s, done.result())
            self._kept.move_to_end(station)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

        coming.add_done_callback(keep)
        return coming

    async def _ask(self, station: str) -> Answer:
        async with self._one_at_a_time, self._database.reading() as session:
            weather = await weather_at(session, station, time.time_ns() // 1000)
        if weather is None:
            return Answer(None, "")
        told = msgspec.msgpack.encode(msgspec.structs.replace(weather, age_s=None))
        return Answer(weather, f'W/"{hashlib.sha256(told).hexdigest()[:24]}"')
