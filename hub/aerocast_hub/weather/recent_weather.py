"""Airports' weather as many programs ask for it: kept for a moment, its age that of now."""

import hashlib
import time
from typing import NamedTuple

import msgspec

from aerocast_hub.database.engine import Database
from aerocast_hub.recent import Recent
from aerocast_hub.weather.stations import station_of
from aerocast_hub.weather.store import AirportWeather, weather_at


class Answer(NamedTuple):
    """An airport's weather; ``etag`` stays while nothing but the age of it changes."""

    weather: AirportWeather | None
    etag: str


class RecentWeather:
    """Remembers the newest answers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._answers: Recent[str, Answer | None] = Recent(self._ask, serves_former=True)

    async def weather(self, code: str) -> Answer:
        """Give an airport's weather, at most three seconds old; its age is that of now."""
        answer = await self._answers.get(station_of(code))
        if answer is None or answer.weather is None:
            return Answer(None, "")
        weather = answer.weather
        if weather.observed_at_us is None:
            return answer
        age_s = time.time() - weather.observed_at_us / 1e6
        return answer._replace(weather=msgspec.structs.replace(weather, age_s=age_s))

    async def _ask(self, station: str) -> Answer | None:
        async with self._database.reading() as session:
            weather = await weather_at(session, station, time.time_ns() // 1000)
        if weather is None:
            return None
        told = msgspec.msgpack.encode(msgspec.structs.replace(weather, age_s=None))
        return Answer(weather, f'W/"{hashlib.sha256(told).hexdigest()[:24]}"')
