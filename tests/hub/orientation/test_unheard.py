"""An airport without a receiver: nobody hears aircraft land, and bags tell of themselves."""

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.baggage.absorb import absorb
from aerocast_hub.inbox.sighting import Sighting
from aerocast_protocols.observations.bags import BagPassage
from litestar.testing import AsyncTestClient

from tests.hub.orientation.test_passenger_links import bearer, made, settings
from tests.hub.orientation.traveller import MIN_US, PLATE, announce, now_us


async def reaches_a_belt(database, site):
    passage = BagPassage(
        device="portal", boot_ns=1, belt="belt-4", point="arrival", epc=b"\x0c" * 12,
        licence_plate=PLATE, sigma_ms=40.0, reads=9, confidence=0.9,
    )  # fmt: skip
    seen = Sighting(
        site=site, gateway="hall-1", epoch=1, lane=0, sequence=1, seen_at_us=now_us() - 5 * MIN_US,
        clock_quality=3, observation=passage,
    )  # fmt: skip
    async with database.writing() as session:
        await absorb(session, [seen])


@pytest.mark.parametrize(
    ("site", "phase"),
    [("lfbo", "at_belt"), ("tls", "at_belt"), ("lfpg", "no_news"), (None, "no_news")],
)
async def test_a_bag_on_the_belt_of_its_airport_is_believed(
    database, database_url, tmp_path, site, phase
):
    await announce(database, tmp_path, minutes_ago=60)
    if site is not None:
        await reaches_a_belt(database, site)
    app = create_app(settings(database_url, tmp_path), ["auth", "orientation"])
    async with AsyncTestClient(app) as hub:
        link = await made(hub, bearer(hub, "orientation:links"))
        advice = (await hub.get(f"/api/guidance/{link['token']}")).json()
    assert advice["phase"] == phase
    assert advice["belt"] == "4"
