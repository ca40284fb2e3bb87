"""Sessions are listed, and ended by their owners and administrators, in every process."""

import asyncio

from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.events import GatewayStateChanged
from aerocast_hub.live.controller import hears

from tests.hub.auth.people import bearer, entered, id_of, log_in


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
    assert not elsewhere.is_ended(gone)
    await elsewhere.look()
    assert elsewhere.is_ended(gone)
    assert not elsewhere.is_ended(None)


async def test_a_stream_tells_nothing_more_to_whose_session_was_ended(database):
    standing = Standing(database)
    who = Principal(
        user_id="u", name="ada", permissions=frozenset(), expires_at_s=9, session_id="s"
    )
    may = hears(standing, who, database)
    event = GatewayStateChanged(at_us=1, site="lfbo", gateway="hall-1", state="gone")
    assert await may(event)
    standing.end(["s"])
    assert not await may(event)


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
