import pytest
from aerocast_hub.airports import airport


@pytest.mark.parametrize("code", ["TLS", "tls", "LFBO", " lfbo "])
def test_an_airport_is_found_by_either_code(code):
    found = airport(code)
    assert found is not None
    assert (found.iata, found.icao, found.time_zone) == ("TLS", "LFBO", "Europe/Paris")
    assert found.latitude_deg == pytest.approx(43.63, abs=0.05)
    assert found.longitude_deg == pytest.approx(1.37, abs=0.05)


@pytest.mark.parametrize("code", ["", "ZZZZZ", "0"])
def test_an_unknown_code_is_no_airport(code):
    assert airport(code) is None
