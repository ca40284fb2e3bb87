"""Everybody's accounts in a browser, for administrators."""

import time
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.access import Access
from aerocast_hub.auth.accounts.administration import (
    add_person,
    disable,
    enable,
    end_of,
    find_user,
    remove_factors,
    reset_password,
    revoke_key_of,
    unlock_user,
)
from aerocast_hub.auth.accounts.people_controller import READ, WRITE, by_request
from aerocast_hub.auth.api_keys.store import list_keys
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.permissions import grants
from aerocast_hub.auth.roles import list_roles
from aerocast_hub.auth.second_factors.store import factors_of
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.sessions.store import sessions_of
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.auth.users import UserError, list_users
from aerocast_hub.database.engine import Database
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.web.templates import render

Administrator = Request[Principal, Any, State]
SHOWN: dict[str, Any] = {"include_in_schema": False, "media_type": MediaType.HTML, "opt": READ}
DONE: dict[str, Any] = {"include_in_schema": False, "media_type": MediaType.HTML, "opt": WRITE}


class PersonForm(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is to log in."""

    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    role: Annotated[str, msgspec.Meta(max_length=32)] = ""


class ActionForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with an account; ``key`` is the prefix of the key to revoke."""

    what: Literal[
        "disable", "enable", "unlock", "password", "factors", "sessions", "session", "key"
    ]
    session: UUID | None = None
    key: Annotated[str, msgspec.Meta(max_length=16)] = ""


@get("/people", **SHOWN)
async def people_page(request: Administrator, database: NamedDependency[Database]) -> str:
    """Show all accounts."""
    async with database.reading() as session:
        users, roles = await list_users(session), await list_roles(session)
    return render(
        "people.html",
        user=request.user.name,
        now_us=time.time_ns() // 1000,
        people=users,
        roles=roles,
        may_change=grants(request.user.permissions, "users:write"),
    )


@post("/people", **DONE)
async def add(
    data: URLEncodedBody[PersonForm],
    request: Administrator,
    database: NamedDependency[Database],
) -> Response[str]:
    """Add somebody, and show the first password this once."""
    role = data.role.replace("\x00", "?")
    try:
        async with database.writing() as session:
            by = by_request(request)
            added = await add_person(session, Passwords(), data.name, role, by)
    except UserError as error:
        return _said(str(error), "/people", is_wrong=True)
    return Response(render("first_password.html", given=added))


@get("/people/{user_id:uuid}", **SHOWN)
async def person_page(
    user_id: FromPath[UUID], request: Administrator, database: NamedDependency[Database]
) -> str:
    """Show an account and everything it comes in by.

    Raises
    ------
    NotFoundException
        There is no such account.
    """
    now_us = time.time_ns() // 1000
    try:
        async with database.reading() as session:
            person = await find_user(session, user_id)
            factors = await factors_of(session, user_id)
            sessions = await sessions_of(session, user_id, now_us)
            keys = await list_keys(session, now_us, user_id)
    except UserError as error:
        raise NotFoundException(str(error)) from error
    return render(
        "person.html",
        user=request.user.name,
        now_us=now_us,
        person=person,
        factors=factors,
        sessions=sessions,
        keys=keys,
        may_change=grants(request.user.permissions, "users:write"),
    )


@post("/people/{user_id:uuid}", **DONE)
async def act(
    user_id: FromPath[UUID],
    data: URLEncodedBody[ActionForm],
    request: Administrator,
    database: NamedDependency[Database],
    access: NamedDependency[Access],
    publisher: NamedDependency[Publisher],
) -> Response[str]:
    """Do something with an account."""
    back = f"/people/{user_id}"
    if data.what == "password":
        return await _give_password(user_id, request, database, access.standing)
    try:
        async with database.writing() as session:
            said = await _do(session, user_id, data, request)
    except UserError as error:
        return _said(str(error), back, is_wrong=True)
    await access.standing.look()
    publisher.wake()
    return _said(said, back)


PEOPLE_PAGES = (people_page, add, person_page, act)


async def _do(
    session: AsyncSession,
    user_id: UUID,
    data: ActionForm,
    request: Administrator,
) -> str:
    by = by_request(request)
    if data.what == "disable":
        await disable(session, user_id, by)
        return "The account is disabled, and its sessions are ended"
    if data.what == "factors":
        await remove_factors(session, user_id, by)
        return "The second factors are removed, and the sessions are ended"
    if data.what in ("sessions", "session"):
        only = data.session if data.what == "session" else None
        await end_of(session, user_id, by, only)
        return "Ended"
    if data.what == "key":
        is_gone = await revoke_key_of(session, user_id, data.key, by)
        return "The key is revoked" if is_gone else "There is no such key"
    done = enable if data.what == "enable" else unlock_user
    await done(session, user_id, by)
    return "The account may log in again"


async def _give_password(
    user_id: UUID, request: Administrator, database: Database, standing: Standing
) -> Response[str]:
    try:
        async with database.writing() as session:
            by = by_request(request)
            given = await reset_password(session, Passwords(), user_id, by)
    except UserError as error:
        return _said(str(error), f"/people/{user_id}", is_wrong=True)
    await standing.look()
    return Response(render("first_password.html", given=given))


def _said(what: str, back: str, *, is_wrong: bool = False) -> Response[str]:
    page = render("said.html", what=f"{what[:1].upper()}{what[1:]}.", is_wrong=is_wrong, back=back)
    return Response(page, status_code=400 if is_wrong else 200)
