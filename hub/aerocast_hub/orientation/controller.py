"""Advice for passengers: by signed link, by plate and surname, and as operators see it."""

import time
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from aerocast_hub.auth.caller import client_of, too_many_tries
from aerocast_hub.auth.logins import TryLater
from aerocast_hub.auth.permissions import RULED
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.live.answering import EVENT_STREAM, answer_stream
from aerocast_hub.live.audience import Audience, Listener, Shown, mark_of
from aerocast_hub.orientation.advising import Advised, Guidance, to_the_minute, worded
from aerocast_hub.orientation.advisor import Advisor
from aerocast_hub.orientation.finding import Finder
from aerocast_hub.orientation.profiles import ProfileName
from aerocast_hub.orientation.wording import choose_language

AnyRequest = Request[Any, Any, State]

AskedProfile = Annotated[ProfileName, QueryParameter(description="How the passenger gets about")]

NOT_FOUND = "no bag of this plate and name is known"
LINK_CLOSED = "this link is not valid, or not any more"


class FindBag(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a passenger types in: the ten digits of the bag tag, and their surname."""

    licence_plate: Annotated[str, msgspec.Meta(max_length=100)]
    surname: Annotated[str, msgspec.Meta(max_length=200)]
    profile: ProfileName = "default"


class FoundBag(msgspec.Struct, frozen=True, kw_only=True):
    """The advice, and the token of a link that opens it again for three days."""

    token: str
    guidance: Guidance


class PassengerGuidance(msgspec.Struct, frozen=True, kw_only=True):
    """A passenger's advice, without a name.

    Attributes
    ----------
    links
        Ids of the open links made for them, as webhooks name them; empty without any.
    """

    links: tuple[str, ...]
    guidance: Guidance


class GuidanceController(Controller):
    """What to do now, when the bags come, and why."""

    path = "/api/guidance"
    tags = ("Guidance",)
    opt = RULED

    @get("/{token:str}", operation_id="GetGuidance", opt={"public": True})
    async def by_link(
        self,
        token: FromPath[str],
        request: AnyRequest,
        advisor: NamedDependency[Advisor],
        profile: AskedProfile = "default",
    ) -> Guidance:
        """Give a passenger's advice by their signed link.

        Raises
        ------
        NotFoundException
            The link was changed, has expired, or the bags are no longer kept.
        """
        now_us = time.time_ns() // 1000
        advised = await advisor.by_link(token, now_us, profile)
        if advised is None:
            raise NotFoundException(LINK_CLOSED)
        return _give(request, advisor, advised, "link")

    @get(
        "/{token:str}/live",
        operation_id="FollowGuidance",
        media_type=EVENT_STREAM,
        opt={"public": True},
    )
    async def live(
        self,
        token: FromPath[str],
        request: AnyRequest,
        advisor: NamedDependency[Advisor],
        audience: NamedDependency[Audience],
        profile: AskedProfile = "default",
    ) -> Stream:
        """Stream a passenger's advice by their signed link: an event ``news`` whenever it changes.

        Times count as changed when they show another minute. An event ``over`` ends it for good:
        the link has expired or was revoked.

        Raises
        ------
        NotFoundException
            The link was changed, or has expired.
        TooManyRequestsException
            Too many streams are open; Retry-After says when to ask instead.
        """
        link_id = advisor.link_of(token, time.time_ns() // 1000)
        if link_id is None:
            raise NotFoundException(LINK_CLOSED)
        language = _language(request)

        async def look(listener: Listener) -> Shown | None:
            advised = await advisor.by_link(token, time.time_ns() // 1000, profile)
            if advised is None:
                return None
            audience.concern(listener, advised.concerns)
            guidance = worded(advised, language)
            mark = mark_of(msgspec.json.encode(to_the_minute(guidance)))
            return Shown(msgspec.json.encode(guidance), mark)

        return answer_stream(request, audience, f"link {link_id}", look)

    @post(
        "/find",
        operation_id="FindGuidance",
        status_code=200,
        opt={"public": True, "errors": {404: NOT_FOUND}},
    )
    async def by_plate(
        self,
        data: JSONBody[FindBag],
        request: AnyRequest,
        finder: NamedDependency[Finder],
        advisor: NamedDependency[Advisor],
    ) -> FoundBag:
        """Give a passenger's advice by bag tag and surname, and a link to it.

        Raises
        ------
        NotFoundException
            The same for an unknown plate and for a wrong name.
        TooManyRequestsException
            Too many tries; Retry-After says when to try again.
        """
        now_us = time.time_ns() // 1000
        found = await finder.find(data.licence_plate, data.surname, client_of(request))
        if isinstance(found, TryLater):
            raise too_many_tries(found)
        advised = None
        if found is not None:
            advised = await advisor.of_passenger(found, now_us, data.profile)
        if found is None or advised is None:
            raise NotFoundException(NOT_FOUND)
        guidance = _give(request, advisor, advised, "plate")
        return FoundBag(token=await finder.link(found, now_us), guidance=guidance)

    @get(
        "/preview/{bag:str}",
        operation_id="PreviewGuidance",
        opt={"permission": "orientation:read"},
    )
    async def preview(
        self,
        bag: FromPath[str],
        request: AnyRequest,
        advisor: NamedDependency[Advisor],
        at_us: AskedInstant = None,
        profile: AskedProfile = "default",
    ) -> Guidance:
        """Give the advice a bag's passenger gets, for an operator; it is not counted.

        Raises
        ------
        NotFoundException
            No bag has this id or plate.
        """
        advised = await advisor.on_bag(bag, asked_us(at_us), profile)
        if advised is None:
            raise NotFoundException(f"bag {bag[:36]!r} is not known")
        return worded(advised, _language(request))

    @get(
        "/flights/{flight_id:str}",
        operation_id="GetFlightGuidance",
        opt={"permission": "orientation:read"},
    )
    async def by_flight(
        self, flight_id: FromPath[str], request: AnyRequest, advisor: NamedDependency[Advisor]
    ) -> list[PassengerGuidance]:
        """Give the advice of the passengers with bags on a flight; it is not counted.

        Accounts bound to airlines get their own flights' passengers alone.

        Raises
        ------
        NotFoundException
            There is no such flight.
        """
        found = await advisor.on_flight(flight_id, time.time_ns() // 1000)
        if found is None:
            raise NotFoundException(f"flight {flight_id[:36]!r} is not known")
        language = _language(request)
        return [
            PassengerGuidance(links=each.links, guidance=worded(each.advised, language))
            for each in found
        ]


def _give(request: AnyRequest, advisor: Advisor, advised: Advised, asked_by: str) -> Guidance:
    """Word an advice, and count it as given."""
    advisor.counter.count(asked_by, advised.advice.at_us)
    return worded(advised, _language(request))


def _language(request: AnyRequest) -> str:
    """Choose the language: ``?language=fr`` wins over the browser's."""
    asked = request.query_params.get("language")
    return choose_language(asked or request.headers.get("accept-language"))
