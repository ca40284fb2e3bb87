import pytest
from aerocast_hub.schedule import flight_key
from aerocast_hub.sight.designators import (
    DesignatorError,
    airline_of,
    read_airlines,
    read_stations,
)


@pytest.mark.parametrize(
    ("flight", "airline"),
    [
        ("AF6120", "AF"),
        ("af 0012", "AF"),
        ("AFR6120", "AFR"),
        ("AFL123", "AFL"),
        ("U2 1234", "U2"),
        ("3K55A", "3K"),
        ("EJU12AB", "EJU"),
        ("GLIDER", None),
        ("", None),
    ],
)
def test_a_flight_number_begins_with_its_airline(flight, airline):
    assert airline_of(flight_key(flight)) == airline


def test_airlines_are_named_by_two_or_three_characters():
    assert read_airlines([" af ", "AFR", "u2", "3K", "AF"]) == {"AF", "AFR", "U2", "3K"}
    assert read_stations(["tls", "LFBO"]) == {"TLS", "LFBO"}


@pytest.mark.parametrize("wrong", ["A", "12", "AIRF", "A-", "AF%", "U21", ""])
def test_what_names_no_airline_is_refused_with_what_would(wrong):
    with pytest.raises(DesignatorError, match="an airline's designator such as AF or AFR"):
        read_airlines(["AF", wrong])


@pytest.mark.parametrize("wrong", ["TL", "LFBO1", "T%S", ""])
def test_what_names_no_airport_is_refused_with_what_would(wrong):
    with pytest.raises(DesignatorError, match="an airport's code such as TLS or LFBO"):
        read_stations([wrong])


def test_nobody_is_bound_to_hundreds():
    with pytest.raises(DesignatorError, match="at most 100"):
        read_airlines(["AF"] * 101)
