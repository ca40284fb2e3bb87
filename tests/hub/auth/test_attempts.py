from aerocast_hub.auth.attempts import FINDS, LOGINS, MOST_KEYS, WINDOW_S, Attempts
from hypothesis import given
from hypothesis import strategies as st


def allowed(attempts, tries):
    return sum(attempts.wait_s(account, client, now_s) == 0.0 for account, client, now_s in tries)


def test_a_client_may_try_an_account_five_times_and_then_waits():
    attempts = Attempts(LOGINS)
    assert allowed(attempts, [("ada", "192.0.2.1", 0.0)] * 20) == LOGINS.together
    assert attempts.wait_s("ada", "192.0.2.1", 100.0) == WINDOW_S - 100.0


def test_waiting_the_time_given_is_enough():
    attempts = Attempts(LOGINS)
    allowed(attempts, [("ada", "192.0.2.1", 0.0)] * 20)
    wait_s = attempts.wait_s("ada", "192.0.2.1", 7.0)
    assert attempts.wait_s("ada", "192.0.2.1", 7.0 + wait_s) == 0.0


def test_an_attacker_elsewhere_does_not_lock_the_owner_out():
    attempts = Attempts(LOGINS)
    allowed(attempts, [("ada", "203.0.113.9", 0.0)] * 20)
    assert attempts.wait_s("ada", "192.0.2.1", 1.0) == 0.0


def test_a_client_that_tries_many_accounts_waits():
    attempts = Attempts(LOGINS)
    tries = [(f"user-{n}", "192.0.2.1", 0.0) for n in range(500)]
    assert allowed(attempts, tries) == LOGINS.client


def test_an_account_tried_from_many_clients_waits():
    attempts = Attempts(LOGINS)
    tries = [("ada", f"192.0.2.{n}", 0.0) for n in range(250)]
    assert allowed(attempts, tries) == LOGINS.account


def test_getting_in_clears_the_count():
    attempts = Attempts(LOGINS)
    allowed(attempts, [("ada", "192.0.2.1", 0.0)] * 4)
    attempts.forget("ada", "192.0.2.1")
    assert allowed(attempts, [("ada", "192.0.2.1", 0.0)] * 20) == LOGINS.together


def test_passengers_behind_one_address_do_not_keep_each_other_out():
    attempts = Attempts(FINDS)
    tries = [(f"{n:010}", "192.0.2.1", 0.0) for n in range(800)]
    assert allowed(attempts, tries) == 800


def test_memory_is_bounded():
    attempts = Attempts(LOGINS)
    for n in range(MOST_KEYS):
        attempts.wait_s(f"user-{n}", f"client-{n}", 0.0)
    assert len(attempts._counts) <= MOST_KEYS


@given(st.lists(st.floats(0.0, 2000.0), max_size=60).map(sorted))
def test_no_window_lets_more_than_twice_the_limit_through(times_s):
    attempts = Attempts(LOGINS)
    passed = [at for at in times_s if attempts.wait_s("ada", "192.0.2.1", at) == 0.0]
    for start_s in passed:
        within = [at for at in passed if start_s <= at < start_s + WINDOW_S]
        assert len(within) <= 2 * LOGINS.together
