from random import Random

import msgspec
import pytest
from aerocast_hub.ground_times import Handling
from aerocast_hub.orientation.arrival_learning import (
    FinishedArrival,
    Kind,
    Learned,
    expected_work,
    learn,
)
from aerocast_hub.orientation.arrival_score import Outcome, pinball, score
from aerocast_hub.orientation.arrival_times import (
    MINUTE_US,
    BeltModel,
    Closure,
    Progress,
    belt_times,
    first_work,
    last_work,
)
from aerocast_hub.orientation.spread import at_share, chance_over
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = 1_720_224_000_000_000
HANDLING = Handling()


def arrival(number, first_min, stand=None, handler=None, *, bags=60, rest_min=6.0, hours_ago=0.0):
    return FinishedArrival(
        flight_id=f"{number:05d}",
        on_block_us=NOW - round(hours_ago * 60 * MINUTE_US),
        first_min=first_min,
        rest_min=rest_min,
        bags=bags,
        kind=Kind(stand, handler, "A320"),
    )


def many(count, median_min, stand=None, handler=None, *, seed=5, first_number=0, hours_ago=0.0):
    rng = Random(seed)
    return [
        arrival(
            first_number + n,
            median_min * rng.lognormvariate(0, 0.2),
            stand,
            handler,
            hours_ago=hours_ago + (count - n) / 10,
        )
        for n in range(count)
    ]


def middle(learned, stand=None, handler=None, aircraft_type="A320"):
    return expected_work(learned, Kind(stand, handler, aircraft_type), HANDLING).first.median_min


arrivals = st.lists(
    st.builds(
        arrival,
        number=st.integers(0, 30),
        first_min=st.floats(-5, 500),
        stand=st.sampled_from([None, "A1", "B2"]),
        handler=st.sampled_from([None, "Swift", "Rampco"]),
        bags=st.integers(0, 200),
        rest_min=st.floats(-1, 400),
        hours_ago=st.integers(0, 2000),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(arrivals, st.randoms(use_true_random=False))
def test_order_and_repetition_of_arrivals_do_not_matter(some, random):
    mixed = some + random.sample(some, len(some) // 2)
    random.shuffle(mixed)
    learned = learn(mixed, HANDLING)
    assert learned == learn(some, HANDLING)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(learned), type=Learned) == learned
    work = expected_work(learned, Kind("A1", "Swift", None), HANDLING)
    for spread in (work.first, work.last(1), work.last(80)):
        assert list(spread.minutes) == sorted(spread.minutes)
        assert all(0 < each < 10_000 for each in spread.minutes)
    assert all(map(float.__le__, work.first.minutes, work.last(80).minutes))


def test_without_arrivals_the_airports_own_file_counts():
    learned = learn([], HANDLING)
    work = expected_work(learned, Kind("A1", "Swift", "A320"), HANDLING)
    assert learned.cases == 0
    for share in (0.1, 0.5, 0.9):
        assert at_share(work.first, share) == pytest.approx(at_share(first_work(HANDLING), share))
        assert at_share(work.last(100), share) == pytest.approx(
            at_share(last_work(HANDLING, 100), share), rel=0.03
        )


def test_a_slow_airport_is_learned_within_some_arrivals():
    few, more = learn(many(3, 26.0), HANDLING), learn(many(200, 26.0), HANDLING)
    assert 13 < middle(few) < middle(more)
    assert middle(more) == pytest.approx(26, rel=0.05)
    assert chance_over(expected_work(more, Kind(), HANDLING).first, 20.0) > 0.8


def test_a_far_stand_counts_by_itself_and_a_new_one_like_the_airport():
    near, far = many(100, 12.0, "A1"), many(100, 24.0, "R8", first_number=500)
    learned = learn(near + far, HANDLING)
    assert middle(learned, "A1") == pytest.approx(12, rel=0.07)
    assert middle(learned, "R8") == pytest.approx(24, rel=0.07)
    assert 14 < middle(learned, "C3") < 21
    once = learn([*near, arrival(900, 60.0, "R9")], HANDLING)
    assert middle(once, "R9") < 1.3 * middle(once, "A1")  # one arrival is no habit


def test_handlers_are_told_apart_though_they_share_stands():
    quick, slow = many(80, 11.0, "A1", "Swift"), many(80, 20.0, "A1", "Rampco", first_number=500)
    learned = learn(quick + slow, HANDLING)
    assert middle(learned, "A1", "Swift") == pytest.approx(11, rel=0.08)
    assert middle(learned, "A1", "Rampco") == pytest.approx(20, rel=0.08)


def test_what_happened_lately_counts_more():
    before = many(500, 24.0, "A1", hours_ago=2000)
    now = many(400, 12.0, "A1", first_number=1000)
    assert middle(learn(before + now, HANDLING), "A1") < 15.5


def test_a_few_absurd_arrivals_do_not_move_the_middle():
    clean = many(100, 12.0, "A1")
    absurd = [arrival(900 + n, 300.0, "A1") for n in range(4)]
    assert middle(learn(clean + absurd, HANDLING)) < 1.1 * middle(learn(clean, HANDLING))
    impossible = [arrival(950, -3.0), arrival(951, 4000.0)]
    assert learn(clean + impossible, HANDLING) == learn(clean, HANDLING)


def test_eight_in_ten_fall_between_the_outer_quantiles():
    learned = learn(many(400, 15.0, seed=1), HANDLING)
    work = expected_work(learned, Kind(None, None, "A320"), HANDLING)
    low, high = at_share(work.first, 0.1), at_share(work.first, 0.9)
    fresh = [each.first_min for each in many(2000, 15.0, seed=2)]
    assert sum(low <= each <= high for each in fresh) / 2000 == pytest.approx(0.8, abs=0.05)


def test_a_closure_delays_what_was_learned_by_its_length():
    learned = learn(many(200, 30.0), HANDLING)
    model = BeltModel(learned=expected_work(learned, Kind(), HANDLING))
    on_block = Progress(on_block_us=NOW)
    free = belt_times(on_block, 60, [], NOW, model)
    for start in (2, 20):  # within the longer work that was learned
        closure = Closure(NOW + start * MINUTE_US, NOW + (start + 25) * MINUTE_US)
        held = belt_times(on_block, 60, [closure], NOW, model)
        assert held.first.p50_us - free.first.p50_us == 25 * MINUTE_US
        assert held.last.p50_us - free.last.p50_us == 25 * MINUTE_US


def test_true_quantiles_cost_least():
    rng = Random(3)
    came = [rng.gauss(20, 5) for _ in range(4000)]

    def cost(*told):
        return sum(pinball(told, each) for each in came)

    true = cost(20 - 6.4, 20, 20 + 6.4)
    assert true < cost(20 - 2, 20, 20 + 2)
    assert true < cost(20 - 15, 20, 20 + 15)
    assert true < cost(16, 22, 29)


def test_scores_count_what_came_between_the_quantiles():
    told = {"told": (10.0, 13.0, 17.0), "by_file": (9.0, 10.0, 11.0)}
    found = score([Outcome(came=came, **told) for came in (9.0, 12.0, 13.0, 16.0, 30.0)])
    assert (found.cases, found.inside, found.below_middle) == (5, 0.6, 0.6)
    assert 0 < found.pinball_min < found.file_pinball_min
    assert score([]) is None
