"""Passengers' links over the API: make one, list them, take them back."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody

from aerocast_hub.auth.permissions import RULED
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.orientation.link_desk import LinkDesk, OpenLink, TooManyLinksError
from aerocast_hub.orientation.passenger_links import VALID_H, Hours, PassengerLink
from aerocast_hub.orientation.qr import qr_svg
from aerocast_hub.settings import Settings

SVG = "image/svg+xml"
AnyRequest = Request[Any, Any, State]

NO_BAG = "No such bag is known."


class NewLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link to be made.

    Attributes
    ----------
    bag
        The hub's id of one of the passenger's bags, or its licence plate.
    valid_h
        Hours for which it opens: at most two weeks.
    """

    bag: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    valid_h: Hours = VALID_H


class LinkMade(msgspec.Struct, frozen=True, kw_only=True):
    """A link that opens.

    Attributes
    ----------
    token
        For ``/api/guidance/{token}``.
    url
        The passenger's page. Whoever has it sees the page: hand it to the passenger alone.
    """

    link: PassengerLink
    token: str
    url: str


class PassengerLinkController(Controller):
    """Links that open a passenger's page for a few days."""

    path = "/api/passenger-links"
    tags = ("Passengers' links",)
    opt = {"permission": "orientation:links"} | RULED

    @post(
        "/",
        operation_id="MakePassengerLink",
        opt={"errors": {404: NO_BAG, 409: "The passenger has twenty open links."}},
    )
    async def make(
        self,
        data: JSONBody[NewLink],
        request: Request[Principal, Any, State],
        link_desk: NamedDependency[LinkDesk],
        settings: NamedDependency[Settings],
    ) -> LinkMade:
        """Make a link for the passenger of a bag.

        Raises
        ------
        NotFoundException
            There is no such bag.
        ClientException
            Nobody said whose the bag is, or its passenger has twenty open links.
        """
        try:
            made = await link_desk.make(data.bag, request.user.name, data.valid_h)
        except TooManyLinksError as error:
            raise ClientException(str(error), status_code=409) from None
        if made == "no_bag":
            raise NotFoundException(f"bag {data.bag[:36]!r} is not known")
        if made == "no_passenger":
            raise ClientException("nobody said whose this bag is: it has no passenger to guide")
        return _made(made, request, settings)

    @get("/", operation_id="ListPassengerLinks", opt={"errors": {404: NO_BAG}})
    async def of_bag(
        self, bag: FromQuery[str], link_desk: NamedDependency[LinkDesk]
    ) -> list[PassengerLink]:
        """Give the links of a bag's passenger, the newest first; ``bag`` is the hub's id.

        Raises
        ------
        NotFoundException
            There is no such bag.
        """
        found = await link_desk.of_bag(bag)
        if found is None:
            raise NotFoundException(f"bag {bag[:36]!r} is not known")
        return found

    @get("/{link_id:str}", operation_id="GetPassengerLink")
    async def one(
        self, link_id: FromPath[str], link_desk: NamedDependency[LinkDesk]
    ) -> PassengerLink:
        """Give a link.

        Raises
        ------
        NotFoundException
            There is no such link.
        """
        found = await link_desk.find(link_id)
        if found is None:
            raise _unknown(link_id)
        return found

    @get("/{link_id:str}/qr", operation_id="GetPassengerLinkCode", media_type=SVG)
    async def code(
        self,
        link_id: FromPath[str],
        request: AnyRequest,
        link_desk: NamedDependency[LinkDesk],
        settings: NamedDependency[Settings],
    ) -> Response[bytes]:
        """Give an open link as a QR code (SVG).

        Raises
        ------
        NotFoundException
            There is no such link, or it opens nothing any more.
        """
        found = await link_desk.open(link_id)
        if found is None:
            raise _unknown(link_id)
        return Response(qr_svg(page_url(found, request, settings)), media_type=SVG)

    @delete("/{link_id:str}", operation_id="RevokePassengerLink", status_code=200)
    async def revoke(
        self,
        link_id: FromPath[str],
        request: Request[Principal, Any, State],
        link_desk: NamedDependency[LinkDesk],
    ) -> PassengerLink:
        """Revoke a link: it opens nothing any more, from now on and everywhere.

        Raises
        ------
        NotFoundException
            There is no such link.
        """
        revoked = await link_desk.revoke(link_id, request.user.name)
        if revoked is None:
            raise _unknown(link_id)
        return revoked


def page_url(opened: OpenLink, request: AnyRequest, settings: Settings) -> str:
    """Give the address of a passenger's page as they reach it."""
    base = settings.base_url or str(request.base_url)
    return base.rstrip("/") + opened.path


def _made(opened: OpenLink, request: AnyRequest, settings: Settings) -> LinkMade:
    return LinkMade(link=opened.link, token=opened.token, url=page_url(opened, request, settings))


def _unknown(link_id: str) -> NotFoundException:
    return NotFoundException(f"link {link_id[:36]!r} is not known, or opens nothing any more")
