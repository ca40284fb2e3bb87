import random

import pytest
from aerocast_hub.weather.heading_bias import (
    BLOCK_US,
    LARGEST_DEG,
    PRIOR_DEG,
    cells_of,
    corrected,
    learn,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.weather.winds_made import NOW, flown, wind

TRUE_DEG = {"390001": 1.1, "390002": -0.6, "390003": 0.2, "390004": -0.9, "390005": 0.5}


def days(seed=1, count=6):
    """Play days: each aircraft once a day, with others, in another wind each day."""
    chance, met = random.Random(seed), []
    for day in range(count):
        true = (chance.gauss(0, 20), chance.gauss(0, 20))
        for icao, bias_deg in TRUE_DEG.items():
            heading = chance.choice((90.0, 140.0, 320.0))
            for layer in range(3):
                air = (true[0] + 5 * layer + chance.gauss(0, 1), true[1] + chance.gauss(0, 1))
                met += [
                    flown(
                        icao, heading, bias_deg, true=air, altitude_ft=2500.0 + 1000 * layer,
                        at_us=NOW + day * 96 * BLOCK_US + number * 10_000_000,
                    )
                    for number in range(4)
                ]  # fmt: skip
    return met


def test_the_errors_of_headings_are_learned_over_days():
    learned = learn(cells_of(days()))
    assert learned.keys() == TRUE_DEG.keys()
    for icao, true_deg in TRUE_DEG.items():
        assert learned[icao].bias_deg == pytest.approx(true_deg, abs=0.3)
        assert learned[icao].sigma_deg < PRIOR_DEG / 2
        assert learned[icao].cells == 18
    before = learn(cells_of(days(count=1)))
    assert before["390001"].sigma_deg > learned["390001"].sigma_deg


def test_what_was_learned_takes_the_error_out():
    met = days()
    east = flown("390001", 90.0, TRUE_DEG["390001"])
    ((_, (_, north)),) = corrected([east], learn(cells_of(met)))
    assert abs(north + 5.0) < abs(east.vector_kt[1] + 5.0) / 3


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(chance):
    met = days(count=2)
    mixed = met + met[::2]
    chance.shuffle(mixed)
    cells, other = cells_of(met), cells_of(mixed)
    assert cells == other
    chance.shuffle(other)
    assert learn(cells) == learn(other + other[:5])


def test_an_aircraft_alone_stays_unknown_and_one_without_a_heading_says_nothing():
    alone = learn(cells_of([flown("390001", 90.0, 2.0), flown("390001", 92.0, 2.0)]))
    assert alone["390001"].bias_deg == pytest.approx(0.0, abs=1e-6)
    assert alone["390001"].sigma_deg == pytest.approx(PRIOR_DEG)
    assert cells_of([wind()]) == []
    assert learn([]) == {}


def test_a_wild_aircraft_is_bounded_and_hardly_moves_the_others():
    met = days()
    wild = [
        flown("666666", 90.0, 25.0, at_us=NOW + day * 96 * BLOCK_US, altitude_ft=2500.0)
        for day in range(6)
    ]
    plain, troubled = learn(cells_of(met)), learn(cells_of([*met, *wild]))
    assert abs(troubled["666666"].bias_deg) <= LARGEST_DEG
    for icao in TRUE_DEG:
        assert troubled[icao].bias_deg == pytest.approx(plain[icao].bias_deg, abs=0.25)
