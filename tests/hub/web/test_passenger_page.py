import msgspec
import pytest
from aerocast_hub.baggage.journey import State
from aerocast_hub.orientation.arrival_times import Progress
from aerocast_hub.orientation.guidance import BagView, FlightView, Surrounding, guide, trip_of
from aerocast_hub.orientation.wording import LANGUAGES
from aerocast_hub.web.labels import LABELS
from aerocast_hub.web.passenger_page import passenger_page
from aerocast_hub.web.templates import render

NOW_US = 1_752_503_520_000_000  # 2025-07-14 14:32 UTC
MINUTE_US = 60_000_000
LANDED = FlightView(
    designator="AF6120",
    origin="ORY",
    destination="TLS",
    progress=Progress(
        on_block_due_us=NOW_US - 10 * MINUTE_US,
        off_block_due_us=NOW_US - 80 * MINUTE_US,
        landed_us=NOW_US - 9 * MINUTE_US,
        on_block_us=NOW_US - 3 * MINUTE_US,
        on_block_sigma_s=4,
    ),
    stand="A12",
    reclaim="4",
    bags=96,
)
BAGS = [BagView(licence_plate="0220123456", state="loaded", last_seen_us=NOW_US - 90 * MINUTE_US)]


def page_of(flight, language="en", time_zone="Europe/Paris", bags=BAGS):
    flights = () if flight is None else (flight,)
    booked = [msgspec.structs.replace(each, flights=flights) for each in bags]
    advice = guide(trip_of(booked), Surrounding(), NOW_US)
    return passenger_page(advice, language, time_zone)


def html_of(page, language="en"):
    words = {"language": language, "languages": LABELS, "labels": LABELS[language]}
    return render("passenger.html", page=page, profile="default", mark="a1", **words)


def test_belt_and_times_are_shown_in_local_time():
    page = page_of(LANDED)
    assert (page.sign, page.place) == ("belt", "4")
    assert page.updated == "16:32"
    assert page.first_from < page.first_to < page.last_by
    assert page.first_from.startswith("16:")


def leaving(minutes, **known):
    progress = Progress(off_block_due_us=NOW_US + minutes * MINUTE_US)
    return FlightView(designator="AF1", origin="TLS", destination="CDG", progress=progress, **known)


def test_a_boarding_time_is_shown_while_it_is_to_come_gate_or_not():
    for gate in ("B7", None):
        page = page_of(leaving(40, gate=gate))
        assert page.boarding_closes == "16:57"
        assert not [each for each in page.steps if "oarding" in each]
        over = page_of(leaving(5, gate=gate))
        assert over.boarding_closes is None
        assert any("boarding closed at 16:22" in each for each in over.steps)


def test_a_change_that_is_still_ahead_names_its_boarding_time_among_the_steps():
    flying = msgspec.structs.replace(LANDED, progress=Progress(airborne_us=NOW_US - MINUTE_US))
    chain = (flying, leaving(90, gate="B7"))
    bags = [msgspec.structs.replace(each, flights=chain) for each in BAGS]
    page = passenger_page(guide(trip_of(bags), Surrounding(), NOW_US), "en", "Europe/Paris")
    assert page.boarding_closes is None
    assert "Boarding closes at 17:47." in page.steps


def test_no_belt_is_shown_large_to_whom_no_bag_comes():
    progress = Progress(airborne_us=NOW_US - 50 * MINUTE_US)
    flying = msgspec.structs.replace(LANDED, progress=progress)
    bags = [msgspec.structs.replace(each, state="offloaded") for each in BAGS]
    page = page_of(flying, bags=bags)
    assert (page.sign, page.place, page.first_from, page.last_by) == (None,) * 4


def test_the_arrow_to_the_next_flight_points_the_way_people_read():
    page = msgspec.structs.replace(page_of(LANDED), onward="BA2")
    assert "→ <bdi>BA2" in html_of(page)
    assert "← <bdi>BA2" in html_of(page, "ar")


def test_without_a_time_zone_times_are_utc_and_say_so():
    page = page_of(LANDED, time_zone=None)
    assert page.updated == "14:32 UTC"
    assert page.first_to.endswith(" UTC")


def test_a_time_shown_large_is_not_repeated_among_the_steps():
    page = page_of(LANDED)
    assert page.steps == ("Go to reclaim belt 4.",)


def test_before_departure_the_gate_is_shown_and_no_belt():
    flight = FlightView(
        designator="AF6120",
        origin="ORY",
        destination="TLS",
        gate="F21",
        progress=Progress(off_block_due_us=NOW_US + 30 * MINUTE_US),
    )
    page = page_of(flight)
    assert (page.sign, page.place, page.boarding_closes) == ("gate", "F21", "16:47")
    assert ">F21<" in html_of(page)


def test_a_change_of_aircraft_shows_its_gate_and_no_belt():
    onward = FlightView(
        designator="BA2",
        origin="TLS",
        destination="LHR",
        gate="B12",
        progress=Progress(off_block_due_us=NOW_US + 90 * MINUTE_US),
    )
    bag = BagView(licence_plate="0220123456", state="on_block", flights=(LANDED, onward))
    page = passenger_page(guide(trip_of([bag]), Surrounding(), NOW_US), "en", "Europe/Paris")
    assert (page.sign, page.place, page.onward) == ("gate", "B12", "BA2")
    assert page.boarding_closes == "17:47"
    assert "We cannot tell how likely you are to reach flight BA2." in page.unknown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "flight", [None, LANDED, FlightView(designator="X1", origin="A", destination="B")]
)
def test_every_phase_makes_a_page_in_every_language(flight, language):
    html = html_of(page_of(flight, language), language)
    assert f'<html lang="{language}" dir="{LABELS[language].direction}">' in html
    assert 'aria-current="true"' in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_labels_and_names_every_state(language):
    labels = LABELS[language]
    assert set(labels.states) >= set(State.__args__)
    assert all(msgspec.structs.astuple(labels))


def test_no_whole_plate_stands_on_the_page():
    assert "0220123456" not in html_of(page_of(LANDED))
