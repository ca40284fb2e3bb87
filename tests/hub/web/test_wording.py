import pytest
from aerocast_hub.web.wording import UNKNOWN, bearing, clock, figure, iso, plate, span


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "2 h"), (864_000, "10 d")],
)
def test_a_span_is_shown_in_the_unit_people_would_use(seconds, shown):
    assert span(seconds) == shown


def test_unknown_is_shown_as_unknown():
    assert {span(None), clock(None), figure(None), bearing(None)} == {UNKNOWN}
    assert iso(None) == ""


def test_figures_carry_their_unit_and_a_true_minus():
    assert figure(-4.25, 1, "°C") == "\u22124.2\u202f°C"
    assert figure(12_840) == "12\u202f840"


@pytest.mark.parametrize(("degrees", "shown"), [(0, "360°"), (359.7, "360°"), (7, "007°")])
def test_north_is_360(degrees, shown):
    assert bearing(degrees) == shown


def test_a_plate_is_grouped_as_on_the_tag():
    assert plate("0220123456") == "0220\u00a0123456"
    assert plate("?") == "?"
