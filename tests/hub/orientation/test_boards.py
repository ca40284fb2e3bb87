"""Public boards: which flights, when their bags come, and never a word of anybody."""

import asyncio

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.orientation import board_keeping, others
from aerocast_hub.orientation.arrival_times import BeltModel, Closure, Progress
from aerocast_hub.orientation.boards import MOST_SHOWN, Arrival, belt_boards, gate_boards
from aerocast_hub.orientation.guidance import FlightView
from aerocast_hub.settings import load_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.testing import AsyncTestClient

from tests.hub.orientation.traveller import PLATE, SURNAME, aircraft, announce

MIN = 60_000_000
NOW = 1_781_438_400_000_000


def arrival(number=1, belt="4", on_belt=0, bags=60, **progress):
    at = {f"{key}_us": NOW + minutes * MIN for key, minutes in progress.items()}
    view = FlightView(
        designator=f"AF{number}",
        origin="CDG",
        destination="TLS",
        reclaim=belt,
        progress=Progress(**at),
    )
    return Arrival(view, "Paris", on_belt, bags, BeltModel())


def only(boards):
    (board,) = boards
    (flight,) = board.flights
    return flight


def test_a_flight_waits_comes_and_is_done():
    told = [
        only(belt_boards([each], (), NOW)).state
        for each in (
            arrival(on_block_due=20),
            arrival(on_block=-3),
            arrival(on_block=-16),
            arrival(on_block=-8, on_belt=1),
            arrival(on_block=-14, on_belt=60),
        )
    ]
    assert told == ["waiting", "waiting", "coming", "coming", "done"]
    gone = [arrival(on_block=-120, on_belt=60), arrival(on_block_due=200), arrival()]
    assert belt_boards([*gone, arrival(belt=None, on_block=-3)], (), NOW) == ()


def test_a_closed_ramp_is_said_and_nothing_is_called_done_for_it():
    closed = (Closure(NOW - 5 * MIN),)
    flight = only(belt_boards([arrival(on_block=-6)], closed, NOW))
    assert flight.state == "paused"
    assert flight.first_from_us >= NOW
    assert only(belt_boards([arrival(on_block=-60)], closed, NOW)).state != "done"
    assert only(belt_boards([arrival(on_block_due=40)], closed, NOW)).state == "waiting"


def test_a_board_calls_done_only_what_was_seen_and_expects_no_flight_without_news():
    over = only(belt_boards([arrival(on_block=-25, on_belt=3)], (), NOW))
    assert (over.state, over.last_by_us) == ("coming", None)
    for flight in (arrival(on_block_due=-50), arrival(landed=-50)):
        silent = only(belt_boards([flight], (), NOW))
        assert (silent.state, silent.first_from_us, silent.last_by_us) == ("no_news", None, None)


def test_times_stand_there_only_while_they_are_to_come():
    waiting = only(belt_boards([arrival(on_block=-3)], (), NOW))
    assert NOW <= waiting.first_from_us < waiting.first_to_us < waiting.last_by_us
    coming = only(belt_boards([arrival(on_block=-16)], (), NOW))
    assert coming.first_from_us is None
    assert coming.last_by_us > NOW
    assert only(belt_boards([arrival(on_block=-14, on_belt=60)], (), NOW)).last_by_us is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from("45")), max_size=40), st.randoms())
def test_a_board_does_not_depend_on_the_order_flights_come_in(told, chance):
    each = [arrival(number, belt, on_block=-number) for number, belt in told]
    boards = belt_boards(each, (), NOW)
    chance.shuffle(each)
    assert belt_boards(each, (), NOW) == boards
    assert all(len(board.flights) <= MOST_SHOWN for board in boards)


def departure(minutes, *, left=False, gate="B7"):
    at_us = NOW + minutes * MIN
    return FlightView(
        designator="AF2",
        origin="TLS",
        destination="CDG",
        gate=gate,
        progress=Progress(off_block_due_us=at_us),
        off_block_us=at_us if left else None,
    ), "Paris"


def test_a_gates_flight_waits_for_the_weather_and_leaves():
    def states(*departures, is_closed=False):
        boards = gate_boards(departures, is_closed=is_closed, now_us=NOW)
        return [flight.state for board in boards for flight in board.flights]

    assert states(departure(30)) == ["waiting"]
    assert states(departure(30), is_closed=True) == ["paused"]
    assert states(departure(120), is_closed=True) == ["waiting"]  # it opens again before that
    assert states(departure(-5, left=True), is_closed=True) == ["done"]
    assert states(departure(-60)) == ["waiting"]  # late, and nobody heard it leave
    gone = departure(-20, left=True), departure(300), departure(-600), departure(5, gate=None)
    assert states(*gone) == []


@pytest.fixture
def engine_kind():
    return "sqlite"


@pytest.fixture
async def hub(database_url, database, tmp_path, monkeypatch):
    monkeypatch.setattr(board_keeping, "KEPT_S", 3600.0)  # longer than any test
    await announce(database, tmp_path, gate="12")
    await aircraft(database, ("landed", 6), ("on_stand", 3))
    told = load_settings(mode="dev", database_url=database_url, data_dir=tmp_path / "data")
    async with AsyncTestClient(create_app(told, ["orientation"])) as client:
        yield client


async def test_boards_are_public_and_tell_of_nobody(hub):
    everything = await hub.get("/api/boards/LFBO/belts")
    assert everything.headers["cache-control"] == "public, max-age=5"
    told = everything.json()
    assert [(each["belt"], len(each["flights"])) for each in told["belts"]] == [("4", 1)]
    belt = (await hub.get("/api/boards/tls/belts/4")).json()["board"]
    assert belt == told["belts"][0]
    assert belt["flights"][0]["city"] == "Paris"
    assert (await hub.get("/api/boards/TLS/belts/9")).json()["board"]["flights"] == []
    gate = (await hub.get("/api/boards/CDG/gates/12")).json()["board"]["flights"]
    assert gate == []  # it has left, and landed elsewhere
    pages = [
        await hub.get(f"/boards/TLS/{place}", headers={"accept": "text/html"})
        for place in ("belts", "belts/4", "gates/12")
    ]
    for answer in (everything, *pages):
        assert answer.status_code == 200
        for secret in (PLATE, PLATE[-4:], SURNAME, "Anna"):
            assert secret not in answer.text
    for lang in ("en", "fr", "es", "de", "ar"):
        assert f'lang="{lang}"' in pages[0].text
    only_french = await hub.get("/boards/TLS/belts?languages=fr,xx")
    assert 'lang="en"' not in only_french.text
    assert "Livraison des bagages" in only_french.text


async def test_an_airport_without_flights_has_no_boards_and_costs_nothing(hub):
    for code in ("JFK", "nowhere", "..", "%00"):
        answer = await hub.get(f"/api/boards/{code}/belts")
        assert answer.status_code == 404, code
    assert (await hub.get(f"/api/boards/{'x' * 200}/belts")).status_code == 400
    assert (await hub.get(f"/boards/{'x' * 200}/belts")).status_code == 404
    answer = await hub.get("/api/boards/JFK/belts")
    assert answer.json()["detail"] == "no flight of airport 'JFK' is known in these hours"


async def test_many_screens_ask_the_database_once(hub, monkeypatch):
    made = []
    flights_on = others.flights_on

    async def counted(*asked):
        made.append(asked)
        return await flights_on(*asked)

    monkeypatch.setattr(others, "flights_on", counted)
    answers = await asyncio.gather(*(hub.get("/boards/TLS/belts") for _ in range(20)))
    assert {each.status_code for each in answers} == {200}
    assert len(made) == 1
