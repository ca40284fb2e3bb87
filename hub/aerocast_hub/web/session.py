"""Logging in and out in a browser."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.exceptions import NotAuthorizedException
from litestar.params import FromQuery, URLEncodedBody

from aerocast_hub.auth.badge_controller import WRONG as BADGE_WRONG
from aerocast_hub.auth.badges import Place
from aerocast_hub.auth.caller import caller_of, party_of, too_many_tries
from aerocast_hub.auth.controller import WRONG, WRONG_FACTOR
from aerocast_hub.auth.logins import Logins, Proof, SecondFactorAsked, TryLater
from aerocast_hub.auth.oidc.sign_in import SignIn
from aerocast_hub.auth.sessions.cookies import RENEWAL_PATH, SessionCookies
from aerocast_hub.auth.sessions.issuing import Sessions, Tokens
from aerocast_hub.settings import Settings
from aerocast_hub.web.places import local_place
from aerocast_hub.web.templates import render

# What a browser lets go of when somebody logs out (W3C Clear Site Data); cookies end anyway.
CLEARED = '"cache", "storage"'


class LoginForm(msgspec.Struct, frozen=True, kw_only=True):
    """The login page's form."""

    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    password: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    next: Annotated[str, msgspec.Meta(max_length=2048)] = "/"


class SecondFactorForm(msgspec.Struct, frozen=True, kw_only=True):
    """The second step's form: a code, or what the page's script put in for a passkey."""

    challenge: Annotated[str, msgspec.Meta(max_length=128)] = ""
    code: Annotated[str, msgspec.Meta(max_length=64)] = ""
    credential: Annotated[str, msgspec.Meta(max_length=8192)] = ""
    next: Annotated[str, msgspec.Meta(max_length=2048)] = "/"


class BadgeForm(msgspec.Struct, frozen=True, kw_only=True):
    """The login page's form for badges; ``reader`` is ``site/gateway``."""

    reader: Annotated[str, msgspec.Meta(max_length=128)] = ""
    pin: Annotated[str, msgspec.Meta(max_length=64)] = ""
    next: Annotated[str, msgspec.Meta(max_length=2048)] = "/"


@get("/login", include_in_schema=False, opt={"public": True}, media_type=MediaType.HTML)
async def login_page(
    sign_in: NamedDependency[SignIn],
    next: FromQuery[str] = "/",  # noqa: A002  the query's own name
    reader: FromQuery[str] = "",
) -> str:
    """Show the login form; ``reader`` is that of the terminal, ``site/gateway``, for badges."""
    return _form(sign_in, next, reader=reader)


@post("/login", include_in_schema=False, opt={"public": True}, media_type=MediaType.HTML)
async def log_in(
    data: URLEncodedBody[LoginForm],
    request: Request[Any, Any, State],
    logins: NamedDependency[Logins],
    session_cookies: NamedDependency[SessionCookies],
    settings: NamedDependency[Settings],
    sign_in: NamedDependency[SignIn],
) -> Response[str]:
    """Begin a session and go where the person was going, or ask on."""
    party = party_of(request, settings)
    answer = await logins.login(data.name, data.password, caller_of(request), party)
    if isinstance(answer, TryLater):
        refusal = too_many_tries(answer)
        return Response(
            _form(sign_in, data.next, data.name, refusal.detail),
            status_code=429,
            headers=refusal.headers,
        )
    if answer is None:
        return Response(_form(sign_in, data.next, data.name, WRONG), status_code=401)
    if isinstance(answer, SecondFactorAsked):
        return Response(
            render("second_factor.html", asked=answer, next=local_place(data.next), wrong="")
        )
    return _enter(answer, data.next, session_cookies)


@post("/login/second", include_in_schema=False, opt={"public": True}, media_type=MediaType.HTML)
async def second_factor(
    data: URLEncodedBody[SecondFactorForm],
    request: Request[Any, Any, State],
    logins: NamedDependency[Logins],
    session_cookies: NamedDependency[SessionCookies],
    settings: NamedDependency[Settings],
    sign_in: NamedDependency[SignIn],
) -> Response[str]:
    """Begin a session of whoever shows the second factor, or ask again."""
    proof, party = Proof(data.code, data.credential), party_of(request, settings)
    tokens = await logins.second_factor(data.challenge, proof, caller_of(request), party)
    if isinstance(tokens, TryLater):
        refusal = too_many_tries(tokens)
        return Response(
            _form(sign_in, data.next, wrong=refusal.detail),
            status_code=429,
            headers=refusal.headers,
        )
    if tokens is None:
        return Response(_form(sign_in, data.next, wrong=WRONG_FACTOR), status_code=401)
    return _enter(tokens, data.next, session_cookies)


@post("/login/badge", include_in_schema=False, opt={"public": True}, media_type=MediaType.HTML)
async def log_in_by_badge(
    data: URLEncodedBody[BadgeForm],
    request: Request[Any, Any, State],
    logins: NamedDependency[Logins],
    session_cookies: NamedDependency[SessionCookies],
    sign_in: NamedDependency[SignIn],
) -> Response[str]:
    """Begin a session of whoever just showed a badge, or show the form again."""
    site, _, gateway = data.reader.partition("/")
    tokens = await logins.login_by_badge(Place(site, gateway), data.pin, caller_of(request))
    if isinstance(tokens, TryLater):
        refusal = too_many_tries(tokens)
        again = _form(sign_in, data.next, wrong=refusal.detail, reader=data.reader)
        return Response(again, status_code=429, headers=refusal.headers)
    if tokens is None:
        again = _form(sign_in, data.next, wrong=BADGE_WRONG, reader=data.reader)
        return Response(again, status_code=401)
    return _enter(tokens, data.next, session_cookies)


@post(f"{RENEWAL_PATH}/renew", include_in_schema=False, opt={"public": True})
async def renew(
    request: Request[Any, Any, State],
    sessions: NamedDependency[Sessions],
    session_cookies: NamedDependency[SessionCookies],
) -> Response[None]:
    """Carry a session on with new tokens.

    Raises
    ------
    NotAuthorizedException
        There is no session to carry on.
    """
    refresh_token = session_cookies.refresh_token(request)
    tokens = await sessions.renew(refresh_token, caller_of(request)) if refresh_token else None
    if tokens is None:
        raise NotAuthorizedException("log in again")
    return Response(None, status_code=204, cookies=session_cookies.of(tokens))


@post(f"{RENEWAL_PATH}/end", include_in_schema=False, opt={"public": True})
async def log_out(
    request: Request[Any, Any, State],
    sessions: NamedDependency[Sessions],
    session_cookies: NamedDependency[SessionCookies],
) -> Response[str]:
    """End the session, here and in the database."""
    refresh_token = session_cookies.refresh_token(request)
    if refresh_token:
        await sessions.logout(refresh_token, caller_of(request))
    gone = _go_to("/login", session_cookies.ended())
    gone.headers["Clear-Site-Data"] = CLEARED
    return gone


SESSION_HANDLERS = (login_page, log_in, second_factor, log_in_by_badge, renew, log_out)


def _form(
    sign_in: SignIn, next_page: str, name: str = "", wrong: str = "", reader: str = ""
) -> str:
    said = f"{wrong[:1].upper()}{wrong[1:]}." if wrong else ""
    return render(
        "login.html",
        next=local_place(next_page),
        name=name,
        wrong=said,
        reader=reader,
        provider=sign_in.name if sign_in.is_offered else "",
    )


def _enter(tokens: Tokens, next_page: str, cookies: SessionCookies) -> Response[str]:
    """Begin the session; who has something to do first is led there."""
    return _go_to("/account" if tokens.due else local_place(next_page), cookies.of(tokens))


def _go_to(place: str, cookies: list[Cookie]) -> Response[str]:
    return Response(
        "",
        status_code=303,
        headers={"Location": place},
        cookies=cookies,
        media_type=MediaType.HTML,
    )
