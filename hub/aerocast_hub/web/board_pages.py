"""Public boards on big screens: one belt, one gate, or all belts; languages take turns."""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromPath
from litestar.response import Stream

from aerocast_hub.live.answering import EVENT_STREAM, answer_stream
from aerocast_hub.live.audience import Audience, Listener, Shown, mark_of
from aerocast_hub.orientation.board_keeping import KEPT_S, Boards
from aerocast_hub.orientation.boards import BeltBoard, Board, GateBoard
from aerocast_hub.orientation.boards_controller import FOR_EVERYONE, belt_of, board_of, gate_of
from aerocast_hub.orientation.wording import LANGUAGES, tell_time
from aerocast_hub.web.labels import LABELS
from aerocast_hub.web.templates import render, render_block

AnyRequest = Request[Any, Any, State]
FLIGHTS_MOVE = frozenset({"flights"})


@get(
    ["/boards/{airport:str}/belts", "/boards/{airport:str}/belts/{belt:str}"],
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"public": True},
)
async def belt_page(
    airport: FromPath[str],
    request: AnyRequest,
    boards: NamedDependency[Boards],
) -> Response[str]:
    """Show what comes to a belt, or to every belt.

    Raises
    ------
    NotFoundException
        The hub knows no flight at the airport in these hours.
    """
    return _page(request, await _belts(boards, airport, request))


@get(
    "/boards/{airport:str}/gates/{gate:str}",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"public": True},
)
async def gate_page(
    airport: FromPath[str],
    gate: FromPath[str],
    request: AnyRequest,
    boards: NamedDependency[Boards],
) -> Response[str]:
    """Show what leaves from a gate.

    Raises
    ------
    NotFoundException
        The hub knows no flight at the airport in these hours.
    """
    return _page(request, await _gate(boards, airport, gate))


@get(
    ["/boards/{airport:str}/live/belts", "/boards/{airport:str}/live/belts/{belt:str}"],
    include_in_schema=False,
    media_type=EVENT_STREAM,
    opt={"public": True},
)
async def belt_stream(
    airport: FromPath[str],
    request: AnyRequest,
    boards: NamedDependency[Boards],
    audience: NamedDependency[Audience],
) -> Stream:
    """Stream what stands on a belt's board, or on that of all belts, whenever it changes.

    Raises
    ------
    NotFoundException
        The hub knows no flight at the airport in these hours.
    TooManyRequestsException
        Too many streams are open: the page asks now and then instead.
    """
    await _belts(boards, airport, request)

    async def look(listener: Listener) -> Shown | None:
        audience.concern(listener, FLIGHTS_MOVE)
        return _shown(request, await _belts(boards, airport, request))

    return answer_stream(request, audience, _name(request), look, KEPT_S)


@get(
    "/boards/{airport:str}/live/gates/{gate:str}",
    include_in_schema=False,
    media_type=EVENT_STREAM,
    opt={"public": True},
)
async def gate_stream(
    airport: FromPath[str],
    gate: FromPath[str],
    request: AnyRequest,
    boards: NamedDependency[Boards],
    audience: NamedDependency[Audience],
) -> Stream:
    """Stream what stands on a gate's board, whenever it changes.

    Raises
    ------
    NotFoundException
        The hub knows no flight at the airport in these hours.
    TooManyRequestsException
        Too many streams are open: the page asks now and then instead.
    """
    await _gate(boards, airport, gate)

    async def look(listener: Listener) -> Shown | None:
        audience.concern(listener, FLIGHTS_MOVE)
        return _shown(request, await _gate(boards, airport, gate))

    return answer_stream(request, audience, _name(request), look, KEPT_S)


BOARD_PAGES = (belt_page, gate_page, belt_stream, gate_stream)


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """What a screen shows: belts, or a gate.

    Attributes
    ----------
    place
        The belt or gate; None: all belts.
    """

    airport: str
    time_zone: str | None
    ramp: str
    place: str | None
    belts: tuple[BeltBoard, ...] = ()
    gate: GateBoard | None = None


async def _belts(boards: Boards, airport: str, request: AnyRequest) -> Screen:
    """Give the belt the path names, or all belts where it names none."""
    belt = request.path_params.get("belt")
    board = await board_of(boards, airport)
    shown = board.belts if belt is None else (belt_of(board, belt),)
    place = None if belt is None else shown[0].belt
    return _screen(board, place, belts=shown)


async def _gate(boards: Boards, airport: str, gate: str) -> Screen:
    board = await board_of(boards, airport)
    found = gate_of(board, gate)
    return _screen(board, found.gate, gate=found)


def _screen(
    board: Board,
    place: str | None,
    belts: tuple[BeltBoard, ...] = (),
    gate: GateBoard | None = None,
) -> Screen:
    return Screen(
        airport=board.airport,
        time_zone=board.time_zone,
        ramp=board.ramp,
        place=place,
        belts=belts,
        gate=gate,
    )


def _page(request: AnyRequest, screen: Screen) -> Response[str]:
    values = _values(request, screen)
    live = request.url.path.replace(f"/boards/{request.path_params['airport']}", "", 1)
    stream = f"/boards/{screen.airport}/live{live}"
    return Response(render("board.html", stream=stream, **values), headers=FOR_EVERYONE)


def _shown(request: AnyRequest, screen: Screen) -> Shown:
    values = _values(request, screen)
    return Shown(render_block("board.html", "board", **values).encode(), str(values["mark"]))


def _values(request: AnyRequest, screen: Screen) -> dict[str, object]:
    now_us = time.time_ns() // 1000
    languages = _languages(request)

    def at(language: str, at_us: int | None) -> str:
        return "" if at_us is None else tell_time(language, at_us, screen.time_zone)

    return {
        "screen": screen,
        "languages": languages,
        "all_labels": LABELS,
        "at": at,
        "updated_us": now_us,
        "mark": mark_of(msgspec.json.encode((_to_the_minute(screen), languages))),
    }


def _to_the_minute(screen: Screen) -> object:
    """Give a screen's content as people read it: a second's difference is none."""
    minute_us = 60_000_000
    told = msgspec.to_builtins(screen)

    def rounded(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {name: rounded(each, str(name)) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [rounded(each) for each in value]
        return value // minute_us if key.endswith("_us") and isinstance(value, int) else value

    return rounded(told)


def _languages(request: AnyRequest) -> Sequence[str]:
    """Choose whose turn it is: ``?languages=fr,en``; all of the catalogues' when left out."""
    asked = request.query_params.get("languages", "")[:64].split(",")
    return [each for each in dict.fromkeys(asked) if each in LANGUAGES] or LANGUAGES


def _name(request: AnyRequest) -> str:
    """Name each stream apart: many screens show one board."""
    return f"board {id(request)}"
