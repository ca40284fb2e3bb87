"""Passengers' links: made by those who may, opened by whoever holds them, until revoked."""

import asyncio
import json
import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.audit.tables import AuditRow
from aerocast_hub.baggage.bags import find_bag
from aerocast_hub.flights.store import flights_called
from aerocast_hub.orientation.links import link_key, make_token
from aerocast_hub.orientation.passenger_links import KEPT_US, MOST_OPEN, forget_links
from aerocast_hub.orientation.tables import PassengerLinkRow
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_hub.retention.forget import forget
from aerocast_hub.settings import load_settings
from litestar.testing import AsyncTestClient
from sqlalchemy import func, select, update

from tests.hub.orientation.traveller import (
    NOBODYS_PLATE,
    PLATE,
    SURNAME,
    aircraft,
    announce,
    now_us,
)

KEY = "0123456789abcdef0123456789abcdef"


def settings(database_url, folder):
    return load_settings(
        mode="dev", database_url=database_url, data_dir=folder / "data", secret_key=KEY
    )


BOTH = pytest.mark.parametrize("engine_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def engine_kind(request):
    """SQLite, unless a test asks for both."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
async def hub(database_url, database, tmp_path):
    await announce(database, tmp_path)
    await aircraft(database, ("landed", 6), ("on_stand", 3))
    app = create_app(settings(database_url, tmp_path), ["auth", "orientation"])
    async with AsyncTestClient(app) as client:
        yield client


def bearer(hub, *permissions, **bound):
    token = hub.app.state.hub.keys.signer.issue(
        "00000000-0000-0000-0000-000000000001",
        "eva",
        frozenset(permissions),
        int(time.time()),
        **bound,
    )
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def desk(hub):
    return bearer(hub, "orientation:links")


async def made(hub, desk, **asked):
    answer = await hub.post("/api/passenger-links", json={"bag": PLATE} | asked, headers=desk)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def opens(hub, token):
    return (await hub.get(f"/api/guidance/{token}")).status_code == 200


async def test_a_link_opens_the_passengers_page_and_names_nobody(hub, desk):
    link = await made(hub, desk)
    assert link["url"] == f"http://testserver.local/p/{link['token']}"
    guidance = (await hub.get(f"/api/guidance/{link['token']}")).json()
    assert guidance["belt"] == "4"
    assert (await hub.get(f"/p/{link['token']}")).status_code == 200
    for secret in (PLATE, SURNAME, "Muller", "Anna"):
        assert secret not in json.dumps(link, ensure_ascii=False)


@BOTH
async def test_a_revoked_link_opens_nothing_at_once_in_every_process(
    hub, desk, database_url, tmp_path
):
    link = await made(hub, desk)
    async with AsyncTestClient(
        create_app(settings(database_url, tmp_path), ["orientation"])
    ) as other:
        assert await opens(hub, link["token"])
        assert await opens(other, link["token"])
        path = f"/api/passenger-links/{link['link']['id']}"
        revoked = await hub.delete(path, headers=desk)
        assert revoked.status_code == 200
        assert (revoked.json()["state"], revoked.json()["revoked_by"]) == ("revoked", "eva")
        assert not await opens(hub, link["token"])
        assert not await opens(other, link["token"])
        assert (await hub.delete(path, headers=desk)).json() == revoked.json()
        assert (await other.get(f"/p/{link['token']}")).status_code == 404
    assert (await hub.get(f"{path}/qr", headers=desk)).status_code == 404


async def test_forged_expired_and_revoked_links_get_one_answer(hub, desk, database):
    revoked, expired = await made(hub, desk), await made(hub, desk)
    await hub.delete(f"/api/passenger-links/{revoked['link']['id']}", headers=desk)
    async with database.writing() as session:
        await session.execute(
            update(PassengerLinkRow)
            .where(PassengerLinkRow.id == expired["link"]["id"])
            .values(expires_at_us=now_us() - 1)
        )
    in_an_hour_s = int(time.time()) + 3600
    tokens = [
        revoked["token"],
        expired["token"],
        make_token(link_key(KEY), revoked["link"]["id"], in_an_hour_s - 7200),
        make_token(link_key("another hub's key"), revoked["link"]["id"], in_an_hour_s),
        make_token(link_key(KEY), "AAAAAAAAAAAA", in_an_hour_s),
        "x" * 40,
        "x",
        "x" * 3000,
    ]
    for place in ("/api/guidance", "/p"):
        answers = [await hub.get(f"{place}/{token}") for token in tokens]
        assert {each.status_code for each in answers} == {404}
        assert len({each.content for each in answers}) == 1


@BOTH
async def test_links_are_listed_and_say_who_made_them(hub, desk, database):
    mine = await made(hub, desk, valid_h=1)
    found = await hub.post("/api/guidance/find", json={"licence_plate": PLATE, "surname": SURNAME})
    again = await hub.post("/api/guidance/find", json={"licence_plate": PLATE, "surname": SURNAME})
    assert found.json()["token"] == again.json()["token"] != mine["token"]
    async with database.reading() as session:
        bag = await find_bag(session, PLATE)
    listed = (await hub.get(f"/api/passenger-links?bag={bag.id}", headers=desk)).json()
    assert [(each["made_by"], each["state"]) for each in listed] == [
        (None, "open"),
        ("eva", "open"),
    ]
    assert listed[1] == mine["link"]
    assert listed[1]["expires_at_us"] - now_us() < 3_600_000_000
    one = await hub.get(f"/api/passenger-links/{mine['link']['id']}", headers=desk)
    assert one.json() == mine["link"]


async def test_a_code_to_scan_carries_the_address(hub, desk):
    link = await made(hub, desk)
    code = await hub.get(f"/api/passenger-links/{link['link']['id']}/qr", headers=desk)
    assert code.headers["content-type"].startswith("image/svg+xml")
    assert code.text.startswith("<svg")
    assert "viewBox" in code.text
    assert " width=" not in code.text
    shorter = await made(hub, desk)
    assert (
        code.content
        != (await hub.get(f"/api/passenger-links/{shorter['link']['id']}/qr", headers=desk)).content
    )


REFUSED = (
    ({"bag": "0999999999"}, 404, "bag '0999999999' is not known"),
    ({"bag": NOBODYS_PLATE}, 400, "nobody said whose this bag is"),
    ({"bag": PLATE, "valid_h": 0}, 400, "valid_h"),
    ({"bag": PLATE, "valid_h": 337}, 400, "valid_h"),
    ({"bag": "x" * 65}, 400, "bag"),
    ({"bag": PLATE, "surname": "Müller"}, 400, "surname"),
)


async def test_what_cannot_be_made_is_refused_with_the_reason(hub, desk):
    for asked, status, said in REFUSED:
        answer = await hub.post("/api/passenger-links", json=asked, headers=desk)
        assert (answer.status_code, said in answer.text) == (status, True), answer.text


async def test_a_passenger_has_only_so_many_open_links(hub, desk):
    links = [await made(hub, desk) for _ in range(MOST_OPEN)]
    refused = await hub.post("/api/passenger-links", json={"bag": PLATE}, headers=desk)
    assert refused.status_code == 409
    assert "revoke one first" in refused.json()["detail"]
    await hub.delete(f"/api/passenger-links/{links[0]['link']['id']}", headers=desk)
    await made(hub, desk)


async def test_whoever_may_not_make_links_is_refused(hub):
    reader = bearer(hub, "orientation:read", "baggage:read")
    link = {"bag": PLATE}
    assert (await hub.post("/api/passenger-links", json=link)).status_code == 401
    assert (await hub.post("/api/passenger-links", json=link, headers=reader)).status_code == 403
    assert (await hub.delete("/api/passenger-links/x", headers=reader)).status_code == 403


async def test_making_and_revoking_are_in_the_audit_trail_and_told_to_open_pages(
    hub, desk, database
):
    link_id = (await made(hub, desk))["link"]["id"]
    await hub.delete(f"/api/passenger-links/{link_id}", headers=desk)
    async with database.reading() as session:
        rows = (
            await session.execute(
                select(AuditRow.action, AuditRow.subject, AuditRow.actor)
                .where(AuditRow.actor != "hub")  # the day's imports are in the trail too
                .order_by(AuditRow.number)
            )
        ).all()
        kinds = (await session.scalars(select(OutboxRow.kind))).all()
    assert [tuple(each) for each in rows] == [
        ("link_made", f"link {link_id}", "eva"),
        ("link_revoked", f"link {link_id}", "eva"),
    ]
    assert kinds.count("passenger_link_revoked") == 1


@BOTH
async def test_links_go_with_the_name_and_a_month_after_their_end(hub, desk, database):
    await made(hub, desk)

    async def count():
        async with database.reading() as session:
            return await session.scalar(select(func.count()).select_from(PassengerLinkRow))

    async with database.writing() as session:
        await forget_links(session, now_us() + KEPT_US)
    assert await count() == 1
    async with database.writing() as session:
        await forget_links(session, now_us() + 2 * KEPT_US)
    assert await count() == 0
    await made(hub, desk)
    await forget(database, now_us() + 40 * 86_400_000_000, record_days=0, personal_days=30)
    assert await count() == 0


async def test_a_flights_passengers_are_advised_by_link_and_never_by_name(hub, desk, database):
    link = await made(hub, desk)
    async with database.reading() as session:
        (flight,) = await flights_called(session, {("AF6120", await _date(session))})
    path = f"/api/guidance/flights/{flight.id}"
    reader = bearer(hub, "orientation:read")
    (passenger,) = (await hub.get(path, headers=reader)).json()
    assert passenger["links"] == [link["link"]["id"]]
    assert passenger["guidance"]["belt"] == "4"
    assert SURNAME not in json.dumps(passenger, ensure_ascii=False)
    assert (await hub.get("/api/guidance/flights/none", headers=reader)).status_code == 404
    assert (await hub.get(path)).status_code == 401
    others = bearer(hub, "orientation:read", airlines=frozenset({"LH"}))
    assert (await hub.get(path, headers=others)).status_code == 404
    own = bearer(hub, "orientation:read", airlines=frozenset({"AF"}))
    assert len((await hub.get(path, headers=own)).json()) == 1


async def test_whoever_is_bound_to_another_airline_finds_and_revokes_no_link(hub, desk, database):
    link = await made(hub, desk)
    async with database.reading() as session:
        bag = await find_bag(session, PLATE)
    path = f"/api/passenger-links/{link['link']['id']}"
    others = bearer(hub, "orientation:links", airlines=frozenset({"LH"}))
    asked = {"bag": PLATE}
    answers = [
        await hub.post("/api/passenger-links", json=asked, headers=others),
        await hub.get(f"/api/passenger-links?bag={bag.id}", headers=others),
        await hub.get(path, headers=others),
        await hub.get(f"{path}/qr", headers=others),
        await hub.delete(path, headers=others),
    ]
    assert [each.status_code for each in answers] == [404] * 5
    assert await opens(hub, link["token"])
    own = bearer(hub, "orientation:links", airlines=frozenset({"AF"}))
    assert (await hub.delete(path, headers=own)).status_code == 200
    assert not await opens(hub, link["token"])


async def _date(session):
    return (await find_bag(session, PLATE)).flight_date


async def test_more_who_ask_at_once_than_there_are_connections_all_get_their_answer(hub, desk):
    token = (await made(hub, desk))["token"]
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*(hub.get(f"/api/guidance/{token}") for _ in range(60)))
    assert {each.status_code for each in answers} == {200}
