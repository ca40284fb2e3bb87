from aerocast_hub.asking.breaker import REST_S, TRIES, Breaker
from aerocast_hub.asking.tokens import (
    AHEAD_S,
    VALID_S,
    Asker,
    asking_key,
    make_token,
    read_token,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NOW_S = 1_800_000_000
KEY = asking_key("a key of tests, as long as one must be")


def test_whom_nobody_reached_a_few_times_is_left_alone_and_tried_once_after_a_rest():
    breaker = Breaker()
    for _ in range(TRIES):
        assert breaker.may_ask(10.0)
        breaker.failed(10.0)
    assert not breaker.may_ask(10.0 + REST_S - 0.1)
    assert breaker.may_ask(10.0 + REST_S)
    assert not breaker.may_ask(10.0 + REST_S), "one tries, the others wait for what comes of it"
    breaker.failed(10.0 + REST_S)
    assert not breaker.may_ask(10.0 + 1.5 * REST_S)
    assert breaker.may_ask(10.0 + 2 * REST_S)
    breaker.succeeded()
    assert breaker.may_ask(10.0 + 2 * REST_S)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=80))
def test_nobody_who_answers_is_left_alone_and_nobody_away_is_asked_all_the_time(steps):
    breaker, now_s, in_a_row, asked_at = Breaker(), 0.0, 0, []
    for wait_s, answers in steps:
        now_s += wait_s
        may = breaker.may_ask(now_s)
        assert may or in_a_row >= TRIES
        if not may:
            continue
        if in_a_row > TRIES:
            assert now_s - asked_at[-1] >= REST_S
        asked_at.append(now_s)
        if answers:
            breaker.succeeded()
            in_a_row = 0
        else:
            breaker.failed(now_s)
            in_a_row += 1


@settings(max_examples=100)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_a_changed_token_is_nobodys(place, bits):
    asker = Asker(service="orientation", expires_at_s=NOW_S + VALID_S, airlines=("AF",))
    token = make_token(KEY, asker)
    assert read_token(KEY, token, NOW_S) == asker
    raw = bytearray(token.encode())
    raw[place % len(raw)] ^= bits[0] | 1
    changed = raw.decode("latin-1")
    assert read_token(KEY, changed, NOW_S) in (None, asker)  # base64's last letter has spare bits
    assert read_token(KEY, token + "A" * 9000, NOW_S) is None


def test_a_token_is_of_its_time_and_of_its_hub():
    token = make_token(KEY, Asker(service="orientation", expires_at_s=NOW_S + VALID_S))
    assert read_token(KEY, token, NOW_S + VALID_S + AHEAD_S) is None
    assert read_token(KEY, token, NOW_S - AHEAD_S - 1) is None
    assert read_token(asking_key("another hub's key, as long as one is"), token, NOW_S) is None
    for nonsense in ("", "ä", "====", "AAAA"):
        assert read_token(KEY, nonsense, NOW_S) is None
