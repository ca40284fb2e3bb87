"""Passengers' pages: their own advice by a signed link, and the way there by tag and surname."""

import time
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Stream

from aerocast_hub.auth.caller import client_of, too_many_tries
from aerocast_hub.auth.logins import TryLater
from aerocast_hub.live.answering import EVENT_STREAM, answer_stream
from aerocast_hub.live.audience import Audience, Listener, Shown
from aerocast_hub.orientation.advisor import Advisor
from aerocast_hub.orientation.controller import LINK_CLOSED
from aerocast_hub.orientation.finding import Finder
from aerocast_hub.orientation.profiles import PROFILES
from aerocast_hub.orientation.wording import LANGUAGES, choose_language
from aerocast_hub.web.labels import LABELS
from aerocast_hub.web.passenger_page import passenger_page
from aerocast_hub.web.templates import render, render_block

AnyRequest = Request[Any, Any, State]

# The page's own script sends it when it looks for news: that is no advice given anew.
REFRESH = "x-refresh"


class FindForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form's fields: what stands on the bag tag receipt, and a surname."""

    licence_plate: Annotated[str, msgspec.Meta(max_length=32)] = ""
    surname: Annotated[str, msgspec.Meta(max_length=64)] = ""


@get("/p/{token:str}", include_in_schema=False, media_type=MediaType.HTML, opt={"public": True})
async def advice_page(
    token: FromPath[str], request: AnyRequest, advisor: NamedDependency[Advisor]
) -> Response[str]:
    """Show a passenger's belt, times and reasons; a link that opens nothing says what to do."""
    now_us = time.time_ns() // 1000
    profile = _profile(request)
    advised = await advisor.by_link(token, now_us, profile)
    if advised is None:
        return Response(_page(request, "expired.html"), status_code=404)
    if REFRESH not in request.headers:
        advisor.counter.count("page", now_us)
    page = passenger_page(advised.advice, _language(request), advised.time_zone)
    return Response(_page(request, "passenger.html", page=page, profile=profile))


@get(
    "/p/{token:str}/live",
    include_in_schema=False,
    media_type=EVENT_STREAM,
    opt={"public": True},
)
async def advice_stream(
    token: FromPath[str],
    request: AnyRequest,
    advisor: NamedDependency[Advisor],
    audience: NamedDependency[Audience],
) -> Stream:
    """Stream what stands on a passenger's page, whenever it changes, until the link opens nothing.

    Raises
    ------
    NotFoundException
        The link was changed, or has expired.
    TooManyRequestsException
        Too many streams are open: the page asks now and then instead.
    """
    link_id = advisor.link_of(token, time.time_ns() // 1000)
    if link_id is None:
        raise NotFoundException(LINK_CLOSED)
    language, profile = _language(request), _profile(request)

    async def look(listener: Listener) -> Shown | None:
        advised = await advisor.by_link(token, time.time_ns() // 1000, profile)
        if advised is None:
            return None
        audience.concern(listener, advised.concerns)
        page = passenger_page(advised.advice, language, advised.time_zone)
        words = _words(language)
        part = render_block("passenger.html", "content", page=page, profile=profile, **words)
        return Shown(part.encode(), page.mark)

    return answer_stream(request, audience, f"link {link_id}", look)


@get("/find", include_in_schema=False, media_type=MediaType.HTML, opt={"public": True})
async def find_page(request: AnyRequest) -> str:
    """Show the form."""
    return _page(request, "find.html", wrong="", licence_plate="")


@post("/find", include_in_schema=False, media_type=MediaType.HTML, opt={"public": True})
async def find(
    data: URLEncodedBody[FindForm],
    request: AnyRequest,
    finder: NamedDependency[Finder],
) -> Response[str]:
    """Lead to the passenger's page; an unknown tag and a wrong surname get the same answer."""
    language = _language(request)
    found = await finder.find(data.licence_plate, data.surname, client_of(request))
    if isinstance(found, str):
        token = await finder.link(found, time.time_ns() // 1000)
        return Response("", status_code=303, headers={"Location": f"/p/{token}?lang={language}"})
    labels = LABELS[language]
    again = _page(
        request,
        "find.html",
        wrong=labels.wait if isinstance(found, TryLater) else labels.not_found,
        licence_plate=data.licence_plate,
    )
    if isinstance(found, TryLater):
        return Response(again, status_code=429, headers=too_many_tries(found).headers)
    return Response(again, status_code=404)


PASSENGER_PAGES = (advice_page, advice_stream, find_page, find)


def _page(request: AnyRequest, template: str, **values: object) -> str:
    return render(template, **_words(_language(request)), **values)


def _words(language: str) -> dict[str, object]:
    return {"language": language, "languages": LABELS, "labels": LABELS[language]}


def _profile(request: AnyRequest) -> str:
    """Choose how the passenger gets about: ``?profile=wheelchair``; an unknown one is nobody's."""
    asked = request.query_params.get("profile")
    return str(asked) if asked in PROFILES else "default"


def _language(request: AnyRequest) -> str:
    """Choose the language: ``?lang=fr`` wins over the browser's."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return str(asked)
    return choose_language(request.headers.get("accept-language"))
