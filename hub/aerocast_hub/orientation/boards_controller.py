"""Boards as JSON, for an airport's own screens. Public: they tell of flights, and of nobody."""

from typing import Annotated

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter

from aerocast_hub.orientation.board_keeping import KEPT_S, Boards
from aerocast_hub.orientation.boards import BeltBoard, Board, GateBoard

FOR_EVERYONE = {"Cache-Control": f"public, max-age={KEPT_S:.0f}"}

Airport = Annotated[str, PathParameter(description="Its IATA or ICAO code", max_length=8)]
Place = Annotated[str, PathParameter(description="As the schedule names it", max_length=16)]


class PlaceBoard(msgspec.Struct, frozen=True, kw_only=True):
    """What the board of one place shows.

    Attributes
    ----------
    ramp
        Whether bags can be unloaded: ``open``, ``caution``, ``closed`` or ``unknown``.
    """

    airport: str
    time_zone: str | None
    ramp: str
    at_us: int


class OneBelt(PlaceBoard, frozen=True, kw_only=True):
    """What a belt's board shows."""

    board: BeltBoard


class OneGate(PlaceBoard, frozen=True, kw_only=True):
    """What a gate's board shows."""

    board: GateBoard


class BoardController(Controller):
    """Public boards: reclaim belts and gates."""

    path = "/api/boards"
    tags = ("Boards",)
    opt = {"public": True}  # noqa: RUF012  Litestar's way
    security = ({},)

    @get("/{airport:str}/belts", operation_id="GetBoards")
    async def every(self, airport: Airport, boards: NamedDependency[Boards]) -> Response[Board]:
        """Give the boards of all belts and gates of an airport.

        Raises
        ------
        NotFoundException
            The hub knows no flight there in these hours.
        """
        return Response(await board_of(boards, airport), headers=FOR_EVERYONE)

    @get("/{airport:str}/belts/{belt:str}", operation_id="GetBeltBoard")
    async def belt(
        self, airport: Airport, belt: Place, boards: NamedDependency[Boards]
    ) -> Response[OneBelt]:
        """Give a belt's board; a belt without flights has an empty one.

        Raises
        ------
        NotFoundException
            The hub knows no flight at the airport in these hours.
        """
        board = await board_of(boards, airport)
        one = OneBelt(
            board=belt_of(board, belt),
            airport=board.airport,
            time_zone=board.time_zone,
            ramp=board.ramp,
            at_us=board.at_us,
        )
        return Response(one, headers=FOR_EVERYONE)

    @get("/{airport:str}/gates/{gate:str}", operation_id="GetGateBoard")
    async def gate(
        self, airport: Airport, gate: Place, boards: NamedDependency[Boards]
    ) -> Response[OneGate]:
        """Give a gate's board; a gate without flights has an empty one.

        Raises
        ------
        NotFoundException
            The hub knows no flight at the airport in these hours.
        """
        board = await board_of(boards, airport)
        one = OneGate(
            board=gate_of(board, gate),
            airport=board.airport,
            time_zone=board.time_zone,
            ramp=board.ramp,
            at_us=board.at_us,
        )
        return Response(one, headers=FOR_EVERYONE)


async def board_of(boards: Boards, airport: str) -> Board:
    """Give what an airport's boards show.

    Raises
    ------
    NotFoundException
        The hub knows no flight there in these hours.
    """
    board = await boards.of_airport(airport[:8])
    if board is None:
        raise NotFoundException(f"no flight of airport {airport[:8]!r} is known in these hours")
    return board


def belt_of(board: Board, belt: str) -> BeltBoard:
    """Give one belt's board, empty where nothing comes."""
    wanted = belt[:16].casefold()
    found = (each for each in board.belts if each.belt.casefold() == wanted)
    return next(found, BeltBoard(belt=belt[:16], flights=()))


def gate_of(board: Board, gate: str) -> GateBoard:
    """Give one gate's board, empty where nothing leaves."""
    wanted = gate[:16].casefold()
    found = (each for each in board.gates if each.gate.casefold() == wanted)
    return next(found, GateBoard(gate=gate[:16], flights=()))
