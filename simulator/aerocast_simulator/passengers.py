"""Passengers at the belt: they ask the hub about their bags and read what it advises."""

import asyncio
import logging
import random

from aerocast_simulator.hub_client import HubClient, HubError
from aerocast_simulator.timetable import Bag

log = logging.getLogger(__name__)
ASK_EVERY_S = 3.0


async def ask_now_and_then(url: str, bags: list[Bag], rng: random.Random) -> None:
    """Ask about one bag every few seconds, until cancelled; nobody is logged in."""
    client = HubClient(url)
    while True:
        await asyncio.sleep(ASK_EVERY_S)
        bag = rng.choice(bags)
        try:
            await client.post(
                "/api/guidance/find", {"licence_plate": bag.licence_plate, "surname": bag.surname}
            )
        except (HubError, OSError) as error:
            log.warning("a passenger got no advice: %s", error)
