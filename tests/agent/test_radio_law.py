"""Radio law: what a region allows, and what is said when a profile asks for more."""

import pytest
from aerocast_agent.radio_law import LAWS, breaches, strongest_dbm
from hypothesis import given
from hypothesis import strategies as st

HOPPING = tuple(902_750 + 500 * n for n in range(50))


@pytest.mark.parametrize(
    ("region", "power_dbm", "gain_dbi", "loss_db", "channels", "says"),
    [
        # 2 W ERP is 33 dBm from a dipole: 33 + 2.15 from an isotropic antenna
        ("etsi", 29.15, 6.0, 0.0, (), None),
        ("etsi", 29.16, 6.0, 0.0, (), "radiates 33.01 dBm"),
        ("etsi", 31.5, 6.0, 2.0, (), "power_dbm may be 31.15"),
        ("etsi", 20.0, None, 0.0, (), "needs antenna_gain_dbi"),
        ("etsi", None, None, 0.0, (865_700, 867_500), None),
        ("etsi", None, None, 0.0, (866_000,), "865700, 866300, 866900, 867500"),
        ("etsi_upper", 33.0, 5.0, 0.0, (916_300, 917_500, 918_700), None),
        ("etsi_upper", 33.0, 5.2, 0.0, (), "may be 32.95"),
        ("fcc", 30.0, 6.0, 0.0, HOPPING, None),
        ("fcc", 30.0, 9.0, 0.0, (), "may be 27.00"),
        ("fcc", 31.0, 2.0, 0.5, (), "power_dbm may be 30.5"),
        ("fcc", None, None, 0.0, HOPPING[:20], "hopping over at least 50"),
        ("fcc", None, None, 0.0, (*HOPPING, 928_250), "928250 is outside"),
        ("japan", 36.0, None, 0.0, (), None),
    ],
)
def test_what_the_law_forbids_is_named_with_what_it_allows(
    region, power_dbm, gain_dbi, loss_db, channels, says
):
    found = list(breaches(region, power_dbm, gain_dbi, loss_db, channels))
    assert (found == []) if says is None else (len(found) == 1 and says in found[0]), found


@given(
    st.sampled_from(sorted(LAWS)),
    st.floats(-10, 15),
    st.floats(0, 10),
)
def test_the_strongest_power_is_allowed_and_a_little_more_is_not(region, gain_dbi, loss_db):
    strongest = strongest_dbm(region, gain_dbi, loss_db)
    assert list(breaches(region, strongest - 0.01, gain_dbi, loss_db, ())) == []
    assert list(breaches(region, strongest + 0.01, gain_dbi, loss_db, ())) != []
