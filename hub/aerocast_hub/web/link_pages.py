"""Operators' pages of passengers' links: make one for a bag's passenger, print it, revoke it."""

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from aerocast_hub.auth.tokens import Principal
from aerocast_hub.orientation.link_desk import LinkDesk, TooManyLinksError
from aerocast_hub.orientation.links_controller import page_url
from aerocast_hub.settings import Settings
from aerocast_hub.web.labels import LABELS
from aerocast_hub.web.templates import render

Operator = Request[Principal, Any, State]


class LinkForm(msgspec.Struct, frozen=True, kw_only=True):
    """The bag page's form; ``bag`` is the hub's id."""

    bag: Annotated[str, msgspec.Meta(max_length=64)] = ""


@post(
    "/links",
    include_in_schema=False,
    opt={"permission": "orientation:links", "rows": "ruled"},
)
async def make_link(
    data: URLEncodedBody[LinkForm], request: Operator, link_desk: NamedDependency[LinkDesk]
) -> Redirect:
    """Make a link for a bag's passenger and show it, ready to print.

    Raises
    ------
    NotFoundException
        There is no such bag.
    ClientException
        Nobody said whose the bag is, or its passenger has twenty open links.
    """
    try:
        made = await link_desk.make(data.bag, request.user.name)
    except TooManyLinksError as error:
        raise ClientException(str(error), status_code=409) from None
    if made == "no_bag":
        raise NotFoundException("there is no such bag")
    if made == "no_passenger":
        raise ClientException("nobody said whose this bag is: it has no passenger to guide")
    return Redirect(f"/links/{made.link.id}", status_code=303)


@get(
    "/links/{link_id:str}",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "orientation:links", "rows": "ruled"},
)
async def link_page(
    link_id: FromPath[str],
    request: Operator,
    link_desk: NamedDependency[LinkDesk],
    settings: NamedDependency[Settings],
) -> str:
    """Show a link as a code to scan, on a sheet a desk can print and hand over.

    Raises
    ------
    NotFoundException
        There is no such link, or it opens nothing any more.
    """
    opened = await link_desk.open(link_id)
    if opened is None:
        raise NotFoundException("this link is not known, or opens nothing any more")
    bag_id = await link_desk.bag_of(link_id)
    return render(
        "link.html",
        link=opened.link,
        url=page_url(opened, request, settings),
        bag_id=bag_id,
        languages=LABELS,
        user=request.user.name,
    )


@post(
    "/links/{link_id:str}/revocation",
    include_in_schema=False,
    opt={"permission": "orientation:links", "rows": "ruled"},
)
async def revoke_link(
    link_id: FromPath[str],
    request: Operator,
    link_desk: NamedDependency[LinkDesk],
) -> Redirect:
    """Revoke a link, and go back to the bag.

    Raises
    ------
    NotFoundException
        There is no such link.
    """
    bag_id = await link_desk.bag_of(link_id)
    if bag_id is None or await link_desk.revoke(link_id, request.user.name) is None:
        raise NotFoundException("there is no such link")
    return Redirect(f"/bags/{bag_id}", status_code=303)


LINK_PAGES = (make_link, link_page, revoke_link)
