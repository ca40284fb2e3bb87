"""Staff badges: shown at a reader, they let their holder in together with a PIN, once."""

import asyncio
import json
import time

import pytest
from aerocast_hub.auth import badges
from aerocast_hub.auth.badges import AHEAD_US, GOOD_FOR_US, Place, absorb
from aerocast_hub.auth.limiting.attempts import LOGINS
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.tables import BadgeRow, BadgeShowingRow
from aerocast_hub.auth.users import disable_user
from aerocast_hub.cli import main
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.services import every_absorb
from aerocast_protocols.observations.cards import BadgeShown
from sqlalchemy import select

from tests.hub.auth.conftest import PASSWORD
from tests.hub.auth.people import entered

BADGE, OTHER = bytes(range(32)), bytes(32)
HERE = Place("lfbo", "hall-1")
PIN = "314159"


def now_us():
    return time.time_ns() // 1000


def shown(badge=BADGE, at_us=None, *, gateway="hall-1", device="desk", sequence=1):
    return Sighting(
        site="lfbo",
        gateway=gateway,
        epoch=1,
        lane=0,
        sequence=sequence,
        seen_at_us=now_us() if at_us is None else at_us,
        clock_quality=3,
        observation=BadgeShown(device=device, boot_ns=1, badge=badge),
    )


async def show(database, *sightings):
    async with database.writing() as session:
        assert await absorb(session, sightings or [shown()]) == []


class Hashed:
    made = None

    @classmethod
    async def pin(cls):
        cls.made = cls.made or await Passwords().hash_pin(PIN)
        return cls.made


@pytest.fixture
async def annas(database, people):
    """A badge that was given to the operator."""
    pin_hash = await Hashed.pin()
    await show(database)
    async with database.writing() as session:
        await badges.assign_badge(session, "operator", HERE, pin_hash, now_us=now_us())


async def log_in(hub, pin=PIN, gateway="hall-1"):
    return await hub.post(
        "/auth/badges/login", json={"site": "lfbo", "gateway": gateway, "pin": pin}
    )


async def test_a_badge_shown_just_now_and_its_pin_let_in_once(hub, annas, database, trail):
    assert (await log_in(hub)).status_code == 401  # giving it out used that showing up
    await show(database, shown(sequence=2))
    tokens = await log_in(hub)
    assert tokens.status_code == 200
    me = await hub.get(
        "/auth/me", headers={"authorization": f"Bearer {tokens.json()['access_token']}"}
    )
    assert me.json()["name"] == "operator"
    assert (await log_in(hub)).status_code == 401  # one showing, one try
    told = [(each.action, each.subject) for each in await trail()]
    assert ("badge_login_ok", "operator") in told
    assert ("badge_login_failed", "badge at lfbo/hall-1") in told


async def test_every_way_to_fail_gets_the_same_answer_and_costs_the_showing(hub, annas, database):
    answers = []
    await show(database, shown(sequence=2))
    answers.append(await log_in(hub, "271828"))  # wrong PIN
    answers.append(await log_in(hub))  # right, but the showing is used up
    await show(database, shown(OTHER, sequence=3))
    answers.append(await log_in(hub))  # nobody's badge
    await show(database, shown(sequence=4))
    async with database.writing() as session:
        await disable_user(session, name="operator", now_us=2)
    answers.append(await log_in(hub))  # a disabled account
    assert {each.status_code for each in answers} == {401}
    assert {each.json()["detail"] for each in answers} == {
        "show your badge again, then type its PIN within a minute"
    }


async def test_guessing_is_held_back(hub, annas, database):
    for number in range(LOGINS.together):
        await show(database, shown(sequence=10 + number))
        assert (await log_in(hub, f"00000{number}")).status_code == 401
    await show(database, shown(sequence=99))
    held = await log_in(hub)
    assert held.status_code == 429
    assert int(held.headers["retry-after"]) > 0
    assert (await log_in(hub, gateway="hall-2")).status_code == 401  # another reader is no way in


@pytest.mark.parametrize("ago_us", [GOOD_FOR_US + 1_000_000, -AHEAD_US - 60_000_000])
async def test_only_what_was_shown_in_the_last_minute_counts(database, people, ago_us):
    await show(database, shown(at_us=now_us() - ago_us))
    async with database.writing() as session:
        assert await badges.take_showing(session, HERE, now_us()) is None
    # a clock that was ahead, or a late backlog, does not shut the reader
    await show(database, shown(sequence=2))
    async with database.writing() as session:
        assert await badges.take_showing(session, HERE, now_us()) == badges.hash_of(BADGE)


async def test_the_newest_showing_counts_in_any_order(database):
    at_us = now_us()
    old, new = shown(OTHER, at_us - 30_000_000), shown(BADGE, at_us, sequence=2)
    other_reader = shown(OTHER, at_us - 1_000_000, device="gate")
    await show(database, new, other_reader, old)
    await show(database, old)
    async with database.writing() as session:
        assert await badges.take_showing(session, HERE, at_us) == badges.hash_of(BADGE)
        assert await badges.take_showing(session, HERE, at_us) == badges.hash_of(OTHER)
        assert await badges.take_showing(session, HERE, at_us) is None
    await show(database, new)  # it was used up; the same one again changes nothing
    async with database.writing() as session:
        assert await badges.take_showing(session, HERE, at_us) is None


def test_the_inbox_tells_the_auth_service_of_badges_though_it_runs_elsewhere():
    assert every_absorb()["badges"] is absorb


async def test_of_two_who_come_for_one_showing_one_gets_in(hub, annas, database):
    await show(database, shown(sequence=2))
    answers = await asyncio.gather(log_in(hub), log_in(hub))
    assert sorted(each.status_code for each in answers) == [200, 401]


async def test_neither_identifier_nor_badge_can_be_read_from_what_is_kept(database, annas):
    async with database.reading() as session:
        (kept,) = await session.scalars(select(BadgeRow))
        (showing,) = await session.scalars(select(BadgeShowingRow))
    assert kept.badge_hash == showing.badge_hash == badges.hash_of(BADGE) != BADGE
    assert PIN not in kept.pin_hash


async def test_badges_are_given_listed_and_taken_back_by_administrators(
    hub, people, database, trail
):
    async def token(name):
        answer = await hub.post("/auth/login", json={"name": name, "password": PASSWORD})
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    admin, viewer = await token("admin"), await token("viewer")
    new = {"user": "operator", "site": "lfbo", "gateway": "hall-1", "pin": PIN}
    assert (await hub.post("/auth/badges", json=new, headers=viewer)).status_code == 403
    early = await hub.post("/auth/badges", json=new, headers=admin)
    assert "hold it to the reader" in early.json()["detail"]
    await show(database)
    unfit = await hub.post("/auth/badges", json={**new, "pin": "111111"}, headers=admin)
    assert "6 to 12 digits" in unfit.json()["detail"]
    given = await hub.post("/auth/badges", json=new, headers=admin)
    assert given.json()["user"] == "operator"
    assert given.json()["assigned_by"] == "admin"
    await show(database, shown(sequence=2))
    taken = await hub.post("/auth/badges", json={**new, "user": "viewer"}, headers=admin)
    assert "somebody else's" in taken.json()["detail"]
    assert [each["user"] for each in (await hub.get("/auth/badges", headers=admin)).json()] == [
        "operator"
    ]
    assert (await hub.delete("/auth/badges/operator", headers=admin)).status_code == 204
    assert (await hub.get("/auth/badges", headers=admin)).json() == []
    assert (await hub.delete("/auth/badges/nobody", headers=admin)).status_code == 404
    assert {"badge_assigned", "badge_revoked"} <= {each.action for each in await trail()}


async def test_nobody_gets_in_by_a_badge_on_an_account_that_may_more(hub, annas, database):
    """With a badge of one's own and a PIN one chose, one would be whoever it was given to."""
    admin, clerk = await entered(hub, "admin"), ["users:read", "users:write"]
    await hub.put("/auth/roles/clerk", json={"permissions": clerk}, headers=admin)
    await hub.put("/auth/bindings/viewer", json={"roles": ["clerk"]}, headers=admin)
    viewer = await entered(hub, "viewer")
    await show(database, shown(OTHER, sequence=2))
    asked = {"user": "admin", "site": "lfbo", "gateway": "hall-1", "pin": PIN}
    given = await hub.post("/auth/badges", json=asked, headers=viewer)
    assert (given.status_code, (await log_in(hub)).status_code) == (400, 401), given.text
    assert "nobody looks after accounts that may do more" in given.json()["detail"]
    assert (await hub.delete("/auth/badges/operator", headers=viewer)).status_code == 404
    listed = (await hub.get("/auth/badges", headers=admin)).json()
    assert [each["user"] for each in listed] == ["operator"]


async def test_a_browser_beside_the_reader_logs_in_with_a_form(hub, annas, database):
    page = await hub.get("/login?reader=lfbo/hall-1")
    assert 'value="lfbo/hall-1"' in page.text
    form = {"reader": "lfbo/hall-1", "pin": PIN, "next": "/"}
    again = await hub.post("/login/badge", data=form)
    assert again.status_code == 401
    assert "Show your badge again" in again.text
    await show(database, shown(sequence=2))
    inside = await hub.post("/login/badge", data=form, follow_redirects=False)
    assert (inside.status_code, inside.headers["location"]) == (303, "/")
    assert "aerocast_session" in inside.headers["set-cookie"]


def test_the_command_says_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("AEROCAST_HUB_USER_PASSWORD", PASSWORD)
    monkeypatch.setenv("AEROCAST_HUB_BADGE_PIN", PIN)

    def run(*words):
        code = main([*words])
        out, err = capsys.readouterr()
        assert PIN not in out + err
        return code, out, err

    assert run("user", "add", "anna")[0] == 0
    code, out, _ = run("badge", "assign", "anna", "--gateway", "lfbo/hall-1", "--json")
    assert code == 1
    assert "no badge was shown at lfbo/hall-1" in json.loads(out)["error"]
    assert run("badge", "list")[0] == 0
    assert "no user 'bob'" in run("badge", "revoke", "bob")[2]
    monkeypatch.setenv("AEROCAST_HUB_BADGE_PIN", "123")
    assert "6 to 12 digits" in run("badge", "assign", "anna", "--gateway", "lfbo/hall-1")[2]
