"""One gateway in a browser: how it is, what it proves itself with, and letting it in or out."""

import time
from typing import Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.permissions import grants
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.enrolment.authorities import load_authorities
from aerocast_hub.enrolment.store import certificates_of, make_claim
from aerocast_hub.gateways.registry import GatewayRefusedError, add_gateway, revoke_gateway
from aerocast_hub.gateways.views import loss_accounts, view_gateway
from aerocast_hub.settings import Settings
from aerocast_hub.web.gateway_cards import gateway_card
from aerocast_hub.web.templates import render

Operator = Request[Principal, Any, State]
CLAIM_H = 24.0


class GatewayForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with a gateway."""

    what: Literal["claim", "revoke", "add"]


@get(
    "/gateways/{site:str}/{name:str}",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "gateways:read"},
)
async def gateway_page(
    site: FromPath[str],
    name: FromPath[str],
    request: Operator,
    database: NamedDependency[Database],
) -> str:
    """Show a gateway and its certificates.

    Raises
    ------
    NotFoundException
        It is not registered.
    """
    now_us = time.time_ns() // 1000
    async with database.reading() as session:
        found = await view_gateway(session, site, name, now_us)
        if found is None:
            raise NotFoundException("there is no such gateway")
        accounts = await loss_accounts(session, site, name)
        certificates = await certificates_of(session, site, name)
    return render(
        "gateway.html",
        gateway=gateway_card(found, accounts[0] if accounts else None, now_us),
        is_revoked=found.state == "revoked",
        certificates=certificates,
        may_change=grants(request.user.permissions, "gateways:write"),
        now_us=now_us,
        user=request.user.name,
    )


@post(
    "/gateways/{site:str}/{name:str}",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "gateways:write"},
)
async def act_on_gateway(
    site: FromPath[str],
    name: FromPath[str],
    data: URLEncodedBody[GatewayForm],
    settings: NamedDependency[Settings],
    database: NamedDependency[Database],
) -> Response[Any]:
    """Make a token and show it this once; or revoke the gateway, or let it in again.

    Raises
    ------
    NotFoundException
        It is not registered, or is revoked already or not at all.
    """
    back = f"/gateways/{site}/{name}"
    try:
        async with database.writing() as session:
            if data.what == "claim":
                return await _claimed(session, settings, (site, name))
            if data.what == "revoke":
                await revoke_gateway(session, site, name)
            else:
                await add_gateway(session, site, name)
    except GatewayRefusedError as error:
        raise NotFoundException(str(error)) from error
    return Redirect(back, status_code=303)


async def _claimed(
    session: AsyncSession, settings: Settings, name: tuple[str, str]
) -> Response[str]:
    """Make a token, and the page that shows it this once."""
    now_us = time.time_ns() // 1000
    claim = await make_claim(session, load_authorities(settings), name, now_us, CLAIM_H)
    page = render(
        "claim.html", claim=claim, hub=settings.base_url, back="/gateways/" + "/".join(name)
    )
    return Response(page, headers={"Cache-Control": "no-store"})


GATEWAY_PAGES = (gateway_page, act_on_gateway)
