"""Answers about airports kept for a second: many who ask at once ask the database once."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from typing import NamedTuple

import msgspec

from aerocast_hub.database.engine import Database
from aerocast_hub.weather.stations import station_of
from aerocast_hub.weather.store import AirportWeather, weather_at

KEPT_S = 1.0
MOST_KEPT = 5000


class Answer(NamedTuple):
    """An airport's weather; ``etag`` stays while nothing but the age of it changes."""

    weather: AirportWeather | None
    etag: str


class RecentWeather:
    """Remembers the newest answers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[str, tuple[float, asyncio.Task[Answer]]] = OrderedDict()

    async def weather(self, code: str) -> Answer:
        """Give an airport's weather, at most a second old; its age is that of now."""
        station, now_s = station_of(code), time.monotonic()
        kept = self._kept.get(station)
        if kept is None or now_s - kept[0] > KEPT_S or _has_failed(kept[1]):
            kept = (now_s, asyncio.create_task(self._ask(station)))
            self._kept[station] = kept
            self._kept.move_to_end(station)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        answer = await asyncio.shield(kept[1])
        weather = answer.weather
        if weather is None or weather.observed_at_us is None:
            return answer
        age_s = time.time() - weather.observed_at_us / 1e6
        return answer._replace(weather=msgspec.structs.replace(weather, age_s=age_s))

    async def _ask(self, station: str) -> Answer:
        async with self._database.reading() as session:
            weather = await weather_at(session, station, time.time_ns() // 1000)
        if weather is None:
            return Answer(None, "")
        told = msgspec.msgpack.encode(msgspec.structs.replace(weather, age_s=None))
        return Answer(weather, f'W/"{hashlib.sha256(told).hexdigest()[:24]}"')


def _has_failed(task: asyncio.Task[Answer]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
