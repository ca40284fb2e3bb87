from pathlib import Path

import pytest
from aerocast_hub.baggage.plates import airlines_of, read_airlines, read_plate

LIST = ["num,iata2,icao3,name\n", "220,LH,DLH,Lufthansa\n", "57,AF,AFR,Air France\n"]
CODES = Path(__file__).parents[3].parent / "shared" / "data" / "baggage" / "codes"


def test_a_plate_says_its_kind_and_who_issued_it():
    airlines = read_airlines(LIST)
    plate = read_plate("0220123456", airlines)
    assert (plate.kind, plate.issuer, plate.serial) == ("interline", "220", "123456")
    assert [each.iata for each in plate.airlines] == ["LH"]
    assert [each.icao for each in read_plate("2057000001", airlines).airlines] == ["AFR"]
    assert read_plate("2057000001", airlines).kind == "rush"
    assert (
        read_plate("1220123456", airlines).airlines == ()
    )  # a fallback tag's digits are no airline
    assert read_plate("7999123456", {}).kind == "own"
    with pytest.raises(ValueError, match="ten digits are"):
        read_plate("022012345", airlines)


def test_what_is_wrong_with_a_list_is_named():
    with pytest.raises(ValueError, match="no column icao3, name"):
        read_airlines(["num,iata2\n"])
    with pytest.raises(ValueError, match="line 2: 'x22' is not three digits"):
        read_airlines([LIST[0], "x22,LH,DLH,x\n"])
    assert airlines_of(None) == {}


def test_the_open_list_of_airlines_is_read_whole():
    file = CODES / "airline_numeric.csv"
    if not file.exists():
        pytest.skip("shared/data/baggage/codes is not here")
    airlines = airlines_of(file)
    assert sum(map(len, airlines.values())) == 677
    assert sum(len(each) > 1 for each in airlines.values()) == 17
    for numeric, iata in (("220", "LH"), ("125", "BA"), ("057", "AF"), ("176", "EK")):
        assert iata in {each.iata for each in read_plate(f"0{numeric}000001", airlines).airlines}
