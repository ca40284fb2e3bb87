"""Gateways in a browser: all of them and each, what it proves itself with, letting it in or out."""

import time
from typing import Annotated, Any, Literal

import msgspec
from aerocast_protocols.commands import Verb
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from aerocast_hub.auth.permissions import grants
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.enrolment.authorities import load_authorities
from aerocast_hub.enrolment.store import certificates_of, make_claim
from aerocast_hub.gateways.orders import (
    GatewayCannotError,
    NoOrderError,
    UnknownGatewayError,
    Wish,
    give_order,
    newest_orders,
    why_no_order,
)
from aerocast_hub.gateways.registry import GatewayRefusedError, add_gateway, revoke_gateway
from aerocast_hub.gateways.views import loss_accounts, view_gateway, view_gateways
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.settings import Settings
from aerocast_hub.web.gateway_cards import gateway_card
from aerocast_hub.web.order_lines import order_line
from aerocast_hub.web.templates import render

Operator = Request[Principal, Any, State]
CLAIM_H = 24.0
ORDERS_SHOWN = 10


class NewGatewayForm(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway that is to be let in."""

    site: Annotated[str, msgspec.Meta(max_length=64)] = ""
    name: Annotated[str, msgspec.Meta(max_length=64)] = ""


class OrderForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway is to do, and with which of its devices."""

    verb: Verb
    device: Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[^\x00]*$")] = ""


class GatewayForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with a gateway."""

    what: Literal["revoke", "add"]


@get(
    "/gateways",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "gateways:read"},
)
async def gateways_page(request: Operator, database: NamedDependency[Database]) -> str:
    """Show all gateways, revoked ones too."""
    now_us = _now_us()
    async with database.reading() as session:
        gateways = await view_gateways(session, now_us)
    cards = [gateway_card(each, None, now_us) for each in gateways]
    return render(
        "gateways.html",
        gateways=cards,
        online=sum(each.state == "online" for each in cards),
        may_change=grants(request.user.permissions, "gateways:write"),
        now_us=now_us,
        user=request.user.name,
    )


@post(
    "/gateways",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "gateways:write"},
)
async def let_in(
    data: URLEncodedBody[NewGatewayForm],
    database: NamedDependency[Database],
    publisher: NamedDependency[Publisher],
) -> Response[Any]:
    """Register a gateway; its own page makes the token it enrols with."""
    site, name = data.site.strip(), data.name.strip()
    try:
        async with database.writing() as session:
            await add_gateway(session, site, name)
    except GatewayRefusedError as error:
        page = render("said.html", what=_sentence(str(error)), is_wrong=True, back="/gateways")
        return Response(page, status_code=400)
    publisher.wake()
    return Redirect(f"/gateways/{site}/{name}", status_code=303)


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
    now_us = _now_us()
    async with database.reading() as session:
        found = await view_gateway(session, site, name, now_us)
        if found is None:
            raise NotFoundException("there is no such gateway")
        accounts = await loss_accounts(session, site, name)
        certificates = await certificates_of(session, site, name)
        orders = await newest_orders(session, (site, name), ORDERS_SHOWN, now_us)
        refusal = await why_no_order(session, found, now_us)
    return render(
        "gateway.html",
        gateway=gateway_card(found, accounts[0] if accounts else None, now_us),
        is_revoked=found.state == "revoked",
        no_order=None if refusal is None else _sentence(refusal),
        certificates=certificates,
        orders=[order_line(each) for each in orders],
        may_change=grants(request.user.permissions, "gateways:write"),
        may_order=grants(request.user.permissions, "gateways:order"),
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
    database: NamedDependency[Database],
    publisher: NamedDependency[Publisher],
) -> Response[Any]:
    """Revoke the gateway, or let it in again.

    Raises
    ------
    NotFoundException
        It is not registered, or not revoked.
    """
    try:
        async with database.writing() as session:
            if data.what == "revoke":
                await revoke_gateway(session, site, name)
            else:
                await add_gateway(session, site, name)
    except GatewayRefusedError as error:
        raise NotFoundException(str(error)) from error
    publisher.wake()
    return Redirect(f"/gateways/{site}/{name}", status_code=303)


@post(
    "/gateways/{site:str}/{name:str}/claim",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "gateways:write"},
)
async def claim_gateway(
    site: FromPath[str],
    name: FromPath[str],
    request: Operator,
    settings: NamedDependency[Settings],
    database: NamedDependency[Database],
) -> Response[str]:
    """Make a token, and show it this once.

    Raises
    ------
    NotFoundException
        It is not registered, or is revoked.
    """
    authorities = load_authorities(settings)
    try:
        async with database.writing() as session:
            claim = await make_claim(session, authorities, (site, name), _now_us(), CLAIM_H)
    except GatewayRefusedError as error:
        raise NotFoundException(str(error)) from error
    hub = (settings.base_url or str(request.base_url)).rstrip("/")
    page = render("claim.html", claim=claim, hub=hub, back=f"/gateways/{site}/{name}")
    return Response(page, headers={"Cache-Control": "no-store"})


@post(
    "/gateways/{site:str}/{name:str}/orders",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "gateways:order"},
)
async def order_gateway(
    site: FromPath[str],
    name: FromPath[str],
    data: URLEncodedBody[OrderForm],
    request: Operator,
    database: NamedDependency[Database],
    publisher: NamedDependency[Publisher],
) -> Response[Any]:
    """Order a gateway to do something; its page shows what comes of it.

    Raises
    ------
    NotFoundException
        It is not registered.
    """
    back = f"/gateways/{site}/{name}#orders"
    wish = Wish(data.verb, data.device or None)
    try:
        async with database.writing() as session:
            await give_order(session, (site, name), wish, request.user.name, _now_us())
    except UnknownGatewayError as error:
        raise NotFoundException(str(error)) from error
    except (NoOrderError, GatewayCannotError) as error:
        page = render("said.html", what=_sentence(str(error)), is_wrong=True, back=back)
        return Response(page, status_code=409)
    publisher.wake()
    return Redirect(back, status_code=303)


def _now_us() -> int:
    return time.time_ns() // 1000


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


GATEWAY_PAGES = (
    *(gateways_page, let_in, gateway_page),
    *(act_on_gateway, claim_gateway, order_gateway),
)
