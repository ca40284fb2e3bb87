"""What has become of an order, and when a gateway is given one: whatever the times."""

import pytest
from aerocast_hub.gateways.ordering import GOOD_FOR_S, MOST_OPEN, state_of, why_not
from aerocast_protocols.commands import Verb
from hypothesis import given
from hypothesis import strategies as st

TIMES = st.integers(0, 2**53)
ERRORS = st.none() | st.text(max_size=20)
STATES = st.sampled_from(["never", "online", "silent", "gone", "revoked"])


@given(TIMES, TIMES, ERRORS, st.lists(TIMES, max_size=5))
def test_an_answer_counts_whenever_it_came_and_for_ever(expires_us, answered_us, error, looks_us):
    said = {state_of(expires_us, answered_us, error, now_us) for now_us in [0, *looks_us]}
    assert said == {"done" if error is None else "failed"}


@given(TIMES, st.lists(TIMES, min_size=1, max_size=8))
def test_without_an_answer_an_order_waits_until_it_expires_and_never_again(expires_us, looks_us):
    said = [state_of(expires_us, None, None, now_us) for now_us in sorted(looks_us)]
    assert said == sorted(said, key=["waiting", "no_answer"].index)
    assert state_of(expires_us, None, None, expires_us - 1) == "waiting"
    assert state_of(expires_us, None, None, expires_us) == "no_answer"


@given(STATES, st.none() | TIMES, st.integers(0, 20))
def test_only_a_gateway_that_is_there_and_answers_is_given_orders(state, seen_us, waiting):
    refusal = why_not("lfbo/hall-1", state, seen_us, waiting)
    is_there = state == "online" and seen_us is not None
    assert (refusal is None) == (is_there and waiting < MOST_OPEN)
    assert refusal is None or "gateway lfbo/hall-1" in refusal


@pytest.mark.parametrize(
    ("state", "seen_us", "waiting", "why"),
    [
        ("revoked", 1, 0, "gateway lfbo/hall-1 is revoked: let it in again first"),
        (
            "never",
            None,
            0,
            "gateway lfbo/hall-1 was never heard: enrol it, and see that its agent runs",
        ),
        (
            "gone",
            1_795_449_600_000_000,
            0,
            (
                "gateway lfbo/hall-1 is not connected, silent since 2026-11-23T16:00:00Z: "
                "order again when it is back, orders do not wait for it"
            ),
        ),
        (
            "online",
            1,
            8,
            (
                "gateway lfbo/hall-1 has 8 orders without an answer, at most 8: wait for one, or "
                "until it expires"
            ),
        ),
    ],
)
def test_a_refusal_names_the_gateway_and_what_to_do(state, seen_us, waiting, why):
    assert why_not("lfbo/hall-1", state, seen_us, waiting) == why


def test_every_verb_has_a_time_it_is_good_for():
    assert set(GOOD_FOR_S) == set(Verb.__args__)
