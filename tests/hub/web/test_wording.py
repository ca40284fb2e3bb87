import pytest
from aerocast_hub.web.wording import UNKNOWN, bearing, browser, clock, figure, iso, plate, span


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


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/2010 Firefox/140.0",
            "Firefox on Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("python-httpx/0.28", "python-httpx"),
        ("", "unknown program"),
    ],
)
def test_browsers_are_named_as_people_name_them(said, name):
    assert browser(said) == name
