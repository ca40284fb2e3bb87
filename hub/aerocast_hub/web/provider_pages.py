"""Logging in at the airport's identity provider, in a browser."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromQuery

from aerocast_hub.auth.accounts.own_controller import OWN
from aerocast_hub.auth.caller import caller_of, client_of, own_id, too_many_tries
from aerocast_hub.auth.logins import TryLater
from aerocast_hub.auth.oidc.sign_in import BACK, GOOD_FOR_S, SignIn, SignInError
from aerocast_hub.auth.sessions.cookies import SessionCookies
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.web.places import local_place
from aerocast_hub.web.templates import render


@get("/login/provider", include_in_schema=False, opt={"public": True}, media_type=MediaType.HTML)
async def go_to_provider(
    request: Request[Any, Any, State],
    sign_in: NamedDependency[SignIn],
    session_cookies: NamedDependency[SessionCookies],
    next: FromQuery[str] = "/",  # noqa: A002  the query's own name
) -> Response[str]:
    """Send somebody to the provider to log in.

    Raises
    ------
    TooManyRequestsException
        Too many from there; Retry-After says when to try again.
    """
    if sign_in.is_offered and (wait_s := await sign_in.wait_s(client_of(request))):
        raise too_many_tries(TryLater(wait_s))
    try:
        away = await sign_in.begin(local_place(next))
    except SignInError as error:
        return _refused(error)
    return _go_to(away.address, [session_cookies.sign_in(away.state, GOOD_FOR_S)])


@post("/account/provider", include_in_schema=False, opt=OWN, media_type=MediaType.HTML)
async def link_to_provider(
    request: Request[Principal, Any, State],
    sign_in: NamedDependency[SignIn],
    session_cookies: NamedDependency[SessionCookies],
) -> Response[str]:
    """Send somebody to the provider, to log in there with this account from then on."""
    try:
        away = await sign_in.begin_link(own_id(request), request.user.session_id)
    except SignInError as error:
        return _refused(error)
    return _go_to(away.address, [session_cookies.sign_in(away.state, GOOD_FOR_S)])


@get(BACK, include_in_schema=False, opt={"public": True}, media_type=MediaType.HTML)
async def come_back(
    request: Request[Any, Any, State],
    sign_in: NamedDependency[SignIn],
    session_cookies: NamedDependency[SessionCookies],
) -> Response[str]:
    """Begin a session of whoever comes back from the provider."""
    asked = request.query_params  # `state` is a name handlers cannot have
    code = asked.get("code", "")
    if "error" in asked or not code:
        return _refused(SignInError("the identity provider let nobody in"))
    kept = session_cookies.sign_in_state(request)
    try:
        back = await sign_in.finish(asked.get("state", ""), kept, code[:4096], caller_of(request))
    except SignInError as error:
        return _refused(error)
    over = session_cookies.sign_in("", 0)
    if back.tokens is None:
        return _go_to("/account", [over])
    place = "/account" if back.tokens.due else local_place(back.next_page)
    return _go_to(place, [over, *session_cookies.of(back.tokens)])


PROVIDER_PAGES = (go_to_provider, link_to_provider, come_back)


def _refused(error: SignInError) -> Response[str]:
    why = str(error)
    said = f"{why[:1].upper()}{why[1:]}."
    page = render("said.html", what=said, is_wrong=True, back="/login")
    return Response(page, status_code=error.status, media_type=MediaType.HTML)


def _go_to(place: str, cookies: list[Cookie]) -> Response[str]:
    return Response(
        "",
        status_code=303,
        headers={"Location": place},
        cookies=cookies,
        media_type=MediaType.HTML,
    )
