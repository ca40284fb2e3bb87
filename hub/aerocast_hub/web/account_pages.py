"""One's own account in a browser: password, second factors, sessions, API keys."""

import time
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
import segno
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import URLEncodedBody

from aerocast_hub.auth.access import Access
from aerocast_hub.auth.accounts.own_controller import OWN, WRONG_PRESENT, NewKey, make_own_key
from aerocast_hub.auth.accounts.own_password import OwnPassword
from aerocast_hub.auth.api_keys.store import KeyRefusedError, list_keys, revoke_key
from aerocast_hub.auth.caller import caller_of, own_id, party_of, too_many_tries
from aerocast_hub.auth.logins import TryLater
from aerocast_hub.auth.permissions import EVERYTHING, OWN_ACCOUNT, PERMISSIONS, grants
from aerocast_hub.auth.second_factors.codes import FactorError
from aerocast_hub.auth.second_factors.own_factors import Added, NewPasskey, OwnFactors
from aerocast_hub.auth.sessions.cookies import SessionCookies
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.sessions.store import end_sessions, record_ended, sessions_of
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.auth.users import UserError
from aerocast_hub.database.engine import Database
from aerocast_hub.settings import Settings
from aerocast_hub.web.templates import render

Mine = Request[Principal, Any, State]
Text = Annotated[str, msgspec.Meta(max_length=1024)]
Page: dict[str, Any] = {"include_in_schema": False, "media_type": MediaType.HTML, "opt": OWN}


class PasswordForm(msgspec.Struct, frozen=True, kw_only=True):
    """The present password, and the new one twice."""

    present: Text = ""
    new: Text = ""
    again: Text = ""


class FactorForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to which second factor."""

    code: Annotated[str, msgspec.Meta(max_length=16)] = ""
    passkey: Annotated[str, msgspec.Meta(max_length=2048)] = ""


class PasskeyForm(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey, put in by the page's script."""

    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    challenge: Annotated[str, msgspec.Meta(max_length=128)] = ""
    credential: Annotated[str, msgspec.Meta(max_length=8192)] = ""


class EndForm(msgspec.Struct, frozen=True, kw_only=True):
    """Which session is to end, or which key to go."""

    session: UUID | None = None
    key: Annotated[str, msgspec.Meta(max_length=16)] = ""


class KeyForm(msgspec.Struct, frozen=True, kw_only=True):
    """An API key to be; ``scopes`` separated by blanks."""

    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    scopes: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 90


@get("/account", **Page)
async def account_page(
    request: Mine,
    database: NamedDependency[Database],
    access: NamedDependency[Access],
    settings: NamedDependency[Settings],
) -> Response[str]:
    """Show one's own account."""
    now_us = time.time_ns() // 1000
    who = request.user
    factors = await access.own_factors.list(who)
    async with database.reading() as session:
        going_on = await sessions_of(session, own_id(request), now_us, who.session_id)
        keys = await list_keys(session, now_us, own_id(request))
        issued = await access.sessions.access_token(
            session, own_id(request), who.session_id or "", now_us
        )
    allowed = PERMISSIONS if EVERYTHING in who.permissions else who.permissions
    page = render(
        "account.html",
        user=who.name,
        now_us=now_us,
        due=issued[1] if issued else None,
        factors=factors,
        provider=access.sign_in.name if access.sign_in.is_offered else "",
        has_passkeys=party_of(request, settings) is not None,
        sessions=going_on,
        keys=keys,
        may_see_people=grants(who.permissions, "users:read"),
        scopes=sorted(allowed - {OWN_ACCOUNT, EVERYTHING}),
    )
    return Response(page)


@post("/account/password", **Page)
async def change_password(
    data: URLEncodedBody[PasswordForm],
    request: Mine,
    own_password: NamedDependency[OwnPassword],
    session_cookies: NamedDependency[SessionCookies],
) -> Response[str]:
    """Choose a new password; every other session ends."""
    if data.new != data.again:
        return _said("The two new passwords differ: nothing was changed.", 400)
    try:
        tokens = await own_password.change(request.user, data.present, data.new, caller_of(request))
    except UserError as error:
        return _said(_sentence(str(error)), 400)
    if isinstance(tokens, TryLater):
        refusal = too_many_tries(tokens)
        return _said(_sentence(refusal.detail), 429)
    if tokens is None:
        return _said(_sentence(WRONG_PRESENT), 401)
    return _said(
        "Your password is changed, and every other session is ended.",
        cookies=session_cookies.of(tokens),
    )


@post("/account/app", **Page)
async def begin_app(request: Mine, own_factors: NamedDependency[OwnFactors]) -> Response[str]:
    """Show the QR code of a new authenticator app."""
    try:
        new = await own_factors.begin_app(request.user)
    except FactorError as error:
        return _said(_sentence(str(error)), 400)
    picture = segno.make(new.uri, error="m").svg_inline(
        scale=5, light="#fff", dark="#000", title="QR code for the authenticator app"
    )
    return Response(render("add_app.html", secret=new.secret, picture=picture))


@post("/account/app/confirm", **Page)
async def confirm_app(
    data: URLEncodedBody[FactorForm],
    request: Mine,
    access: NamedDependency[Access],
    database: NamedDependency[Database],
) -> Response[str]:
    """Take the authenticator app into use."""
    try:
        added = await access.own_factors.confirm_app(request.user, data.code)
    except FactorError as error:
        return _said(_sentence(str(error)), 400)
    return await _added(request, added, access, database)


@post("/account/app/remove", **Page)
async def remove_app(request: Mine, own_factors: NamedDependency[OwnFactors]) -> Response[str]:
    """Forget the authenticator app."""
    try:
        await own_factors.remove_app(request.user)
    except FactorError as error:
        return _said(_sentence(str(error)), 400)
    return _said("The authenticator app is removed.")


@post("/account/passkeys", **Page)
async def add_passkey(
    data: URLEncodedBody[PasskeyForm],
    request: Mine,
    access: NamedDependency[Access],
    database: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Response[str]:
    """Take a passkey into use."""
    new = NewPasskey(data.name.replace("\x00", ""), data.challenge, data.credential)
    try:
        added = await access.own_factors.add_passkey(request.user, party_of(request, settings), new)
    except FactorError as error:
        return _said(_sentence(str(error)), 400)
    return await _added(request, added, access, database)


@post("/account/passkeys/remove", **Page)
async def remove_passkey(
    data: URLEncodedBody[FactorForm], request: Mine, own_factors: NamedDependency[OwnFactors]
) -> Response[str]:
    """Forget a passkey."""
    try:
        await own_factors.remove_passkey(request.user, data.passkey)
    except FactorError as error:
        return _said(_sentence(str(error)), 400)
    return _said("The passkey is removed.")


@post("/account/recovery-codes", **Page)
async def recovery_codes(request: Mine, own_factors: NamedDependency[OwnFactors]) -> Response[str]:
    """Give new recovery codes."""
    try:
        made = await own_factors.new_recovery_codes(request.user)
    except FactorError as error:
        return _said(_sentence(str(error)), 400)
    return Response(render("recovery_codes.html", codes=made.recovery_codes))


@post("/account/sessions/end", **Page)
async def end_session(
    data: URLEncodedBody[EndForm],
    request: Mine,
    database: NamedDependency[Database],
    standing: NamedDependency[Standing],
) -> Response[str]:
    """End one of one's other sessions, or all of them."""
    who, now_us = request.user, time.time_ns() // 1000
    async with database.writing() as session:
        ended = await end_sessions(
            session, own_id(request), now_us, only=data.session, but=who.session_id
        )
        if ended:
            await record_ended(session, who.name, who.name, ended, now_us)
    standing.end(ended)
    return _said("Ended." if ended else "There was no other session.")


@post("/account/keys", **Page)
async def make_key(
    data: URLEncodedBody[KeyForm], request: Mine, database: NamedDependency[Database]
) -> Response[str]:
    """Make an API key, and show it this once."""
    new = NewKey(name=data.name or "key", scopes=data.scopes.split(), days=data.days)
    try:
        made = await make_own_key(database, request.user, new)
    except KeyRefusedError as error:
        return _said(_sentence(str(error)), 400)
    return Response(render("new_key.html", made=made))


@post("/account/keys/revoke", **Page)
async def revoke(
    data: URLEncodedBody[EndForm],
    request: Mine,
    database: NamedDependency[Database],
    standing: NamedDependency[Standing],
) -> Response[str]:
    """Take an API key out of use."""
    now_us = time.time_ns() // 1000
    async with database.writing() as session:
        is_gone = await revoke_key(
            session, own_id(request), data.key, now_us=now_us, actor=request.user.name
        )
    await standing.look()
    return _said("The key is revoked." if is_gone else "There is no such key.")


ACCOUNT_PAGES = (
    *(account_page, change_password, begin_app, confirm_app, remove_app, add_passkey),
    *(remove_passkey, recovery_codes, end_session, make_key, revoke),
)


async def _added(request: Mine, added: Added, access: Access, database: Database) -> Response[str]:
    """Show the recovery codes; who had to add a second factor may do everything from now on."""
    async with database.reading() as session:
        issued = await access.sessions.access_token(
            session, own_id(request), request.user.session_id or "", time.time_ns() // 1000
        )
    renewed = access.session_cookies.renewed(issued[0]) if issued else []
    if not added.recovery_codes:
        return _said("The second factor is in use.", cookies=renewed)
    return Response(render("recovery_codes.html", codes=added.recovery_codes), cookies=renewed)


def _said(what: str, status: int = 200, cookies: Sequence[Cookie] = ()) -> Response[str]:
    return Response(
        render("said.html", what=what, is_wrong=status >= 400, back="/account"),
        status_code=status,
        cookies=list(cookies),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
