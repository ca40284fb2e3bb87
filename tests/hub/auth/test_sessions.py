"""Sessions are listed, and ended by their owners and administrators, in every process."""

import asyncio
import time

from aerocast_hub.auth.accounts.locking import LOCK_AFTER, note_failure
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tables import UserRow
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.events.gateways import GatewayStateChanged
from aerocast_hub.live.controller import hears
from sqlalchemy import select

from tests.hub.auth.conftest import hub_of
from tests.hub.auth.people import bearer, entered, id_of, log_in


def listener(**what):
    told = {"user_id": "u", "name": "ada", "permissions": frozenset(), "expires_at_s": 2**40}
    return Principal(**told | what)


async def sessions(hub, headers):
    return (await hub.get("/auth/me/sessions", headers=headers)).json()


async def test_everybody_sees_their_own_sessions_and_which_is_this_one(hub):
    await log_in(hub, "admin")
    await log_in(hub, **{"user-agent": "Phone/1"})
    here = await entered(hub)
    listed = await sessions(hub, here)
    assert [each["is_this"] for each in listed].count(True) == 1
    assert {each["browser"] for each in listed} >= {"Phone/1"}
    assert {each["way"] for each in listed} == {"password"}


async def test_a_session_that_is_ended_is_over_at_once(hub):
    phone, here = await log_in(hub), await entered(hub)
    other = next(each["id"] for each in await sessions(hub, here) if not each["is_this"])
    assert (await hub.delete(f"/auth/me/sessions/{other}", headers=here)).status_code == 204
    assert (await hub.get("/api/gateways", headers=bearer(phone))).status_code == 401
    spent = {"refresh_token": phone.json()["refresh_token"]}
    assert (await hub.post("/auth/refresh", json=spent)).status_code == 401
    assert (await hub.get("/api/gateways", headers=here)).status_code == 200
    assert (await hub.delete(f"/auth/me/sessions/{other}", headers=here)).status_code == 404


async def test_one_login_more_than_an_account_may_have_ends_the_one_idle_longest(
    settings, people, trail
):
    async with hub_of(settings.model_copy(update={"sessions_most": 2})) as hub:
        first, second = await log_in(hub), await log_in(hub)
        spent = {"refresh_token": first.json()["refresh_token"]}
        first = await hub.post("/auth/refresh", json=spent)  # in use: the second is idle longest
        here = await entered(hub)
        assert await entered(hub, "operator")  # another account's
        assert len(await sessions(hub, here)) == 2
        spent = {"refresh_token": second.json()["refresh_token"]}
        assert (await hub.post("/auth/refresh", json=spent)).status_code == 401
        spent = {"refresh_token": first.json()["refresh_token"]}
        assert (await hub.post("/auth/refresh", json=spent)).status_code == 200
    (told,) = [each for each in await trail() if each.action == "sessions_ended"]
    assert (told.subject, told.actor) == ("viewer", "viewer")


async def test_nobody_ends_somebody_elses_session_as_their_own(hub):
    viewer, operator = await entered(hub), await entered(hub, "operator")
    (theirs,) = await sessions(hub, viewer)
    refused = await hub.delete(f"/auth/me/sessions/{theirs['id']}", headers=operator)
    assert refused.status_code == 404
    assert (await hub.get("/api/gateways", headers=viewer)).status_code == 200


async def test_an_administrator_ends_all_of_somebodys_sessions(hub):
    viewer, admin = await entered(hub), await entered(hub, "admin")
    path = f"/auth/users/{await id_of(hub, 'viewer')}/sessions"
    assert (await hub.delete(path, headers=await entered(hub, "operator"))).status_code == 403
    assert (await hub.delete(path, headers=admin)).status_code == 204
    assert (await hub.get("/api/gateways", headers=viewer)).status_code == 401


async def test_another_process_hears_of_an_ended_session(hub, database):
    _, here = await log_in(hub), await entered(hub)
    elsewhere = Standing(database)
    gone = next(each["id"] for each in await sessions(hub, here) if not each["is_this"])
    await hub.delete(f"/auth/me/sessions/{gone}", headers=here)
    assert not elsewhere.refuses(listener(session_id=gone))
    await elsewhere.look()
    assert elsewhere.refuses(listener(session_id=gone))
    assert not elsewhere.refuses(listener())


async def test_a_stream_tells_nothing_more_to_whose_session_was_ended(database):
    standing = Standing(database)
    may = hears(standing, listener(session_id="s"), database)
    event = GatewayStateChanged(at_us=1, site="lfbo", gateway="hall-1", state="gone")
    assert await may(event)
    standing.end(["s"])
    assert not await may(event)


async def test_what_is_open_is_ended_when_its_listener_is_called_back_or_their_time_is_up(database):
    standing, ended = Standing(database), []
    soon = int(time.time()) + 1
    with (
        standing.watching(listener(session_id="s"), lambda: ended.append("s")),
        standing.watching(listener(session_id="t"), lambda: ended.append("t")),
        standing.watching(listener(key_prefix="k"), lambda: ended.append("k")),
    ):
        standing.end(["s", "k", "other"])
        assert ended == ["s", "k"]
        over = asyncio.Event()
        with standing.watching(listener(expires_at_s=soon), over.set):
            await asyncio.wait_for(over.wait(), 60)
    with standing.watching(listener(session_id="s"), lambda: ended.append("late")):
        assert ended[-1] == "late"
    standing.end(["t"])
    assert "t" not in ended


async def test_a_look_that_began_before_a_session_ended_does_not_bring_it_back(database):
    standing = Standing(database)
    looking = asyncio.create_task(standing.look())
    await asyncio.sleep(0)
    standing.end(["s"])
    await looking
    assert standing.refuses(listener(session_id="s"))


async def test_who_is_given_other_roles_or_rows_needs_a_new_token_at_once(hub):
    admin, viewer = await entered(hub, "admin"), await log_in(hub)
    bound = {"roles": ["viewer"], "airlines": ["AF"]}
    await hub.put("/auth/bindings/viewer", json=bound, headers=admin)
    assert (await hub.get("/api/flights", headers=bearer(viewer))).status_code == 401
    spent = {"refresh_token": viewer.json()["refresh_token"]}
    viewer = await hub.post("/auth/refresh", json=spent)
    assert (await hub.get("/api/flights", headers=bearer(viewer))).status_code == 200
    assert (await hub.get("/api/flights", headers=admin)).status_code == 200


async def test_who_has_a_role_that_is_changed_needs_a_new_token_at_once(hub):
    admin = await entered(hub, "admin")
    role = {"permissions": ["flights:read", "gateways:read"]}
    await hub.put("/auth/roles/desk", json=role, headers=admin)
    await hub.put("/auth/bindings/viewer", json={"roles": ["desk"]}, headers=admin)
    desk, operator = await log_in(hub), await entered(hub, "operator")
    assert (await hub.get("/api/gateways", headers=bearer(desk))).status_code == 200
    await hub.put("/auth/roles/desk", json={"permissions": ["flights:read"]}, headers=admin)
    assert (await hub.get("/api/flights", headers=bearer(desk))).status_code == 401
    spent = {"refresh_token": desk.json()["refresh_token"]}
    desk = await hub.post("/auth/refresh", json=spent)
    assert (await hub.get("/api/flights", headers=bearer(desk))).status_code == 200
    assert (await hub.get("/api/gateways", headers=bearer(desk))).status_code == 403
    assert (await hub.get("/api/flights", headers=operator)).status_code == 200


async def test_a_locked_account_lets_nobody_in_and_throws_nobody_out(hub, database):
    """Or whoever knows a name could end its owner's work."""
    here = await entered(hub)
    async with database.writing() as session:
        user_id = await session.scalar(select(UserRow.id).where(UserRow.name == "viewer"))
        for _ in range(LOCK_AFTER):
            await note_failure(session, user_id, 5)
    assert (await log_in(hub)).status_code == 401
    assert (await hub.get("/api/gateways", headers=here)).status_code == 200


async def test_reuse_of_a_refresh_token_ends_the_access_token_too(hub):
    first = await log_in(hub)
    spent = {"refresh_token": first.json()["refresh_token"]}
    second = await hub.post("/auth/refresh", json=spent)
    await hub.post("/auth/refresh", json=spent)
    assert (await hub.get("/api/gateways", headers=bearer(second))).status_code == 401


async def test_a_session_ended_while_it_is_renewed_leaves_no_token_behind(hub):
    for _ in range(3):
        phone, here = await log_in(hub), await entered(hub)
        other = next(each["id"] for each in await sessions(hub, here) if not each["is_this"])
        spent = {"refresh_token": phone.json()["refresh_token"]}
        renewed, _ = await asyncio.gather(
            hub.post("/auth/refresh", json=spent),
            hub.delete(f"/auth/me/sessions/{other}", headers=here),
        )
        if renewed.is_success:
            again = {"refresh_token": renewed.json()["refresh_token"]}
            assert (await hub.post("/auth/refresh", json=again)).status_code == 401
        await hub.post("/auth/logout", json={"refresh_token": phone.json()["refresh_token"]})
        (here_id,) = [each["id"] for each in await sessions(hub, here)]
        await hub.delete(f"/auth/me/sessions/{here_id}", headers=here)
