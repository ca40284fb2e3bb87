"""How much one account or API key asks: counted here, and by several hubs together."""

import logging

import pytest
from aerocast_hub.auth.limiting.rates import SMALL_PART, WINDOW_S, Rates
from aerocast_hub.auth.limiting.storage import rates_storage
from aerocast_hub.redis_connection import RedisConnection
from hypothesis import given
from hypothesis import strategies as st

from tests.clock import Clock
from tests.hub.auth.conftest import hub_of
from tests.hub.auth.people import entered
from tests.redis_server import running_redis
from tests.waiting import running, until


@pytest.fixture(scope="module")
def engine_kind():
    """Nothing is counted in the database here."""
    return "sqlite"


A_WINDOW_BEGINS_S = 100_000.0 * WINDOW_S


def asked(rates, who, times):
    """Ask so often; give how often it was let through."""
    return [rates.wait_s(who) for _ in range(times)].count(0.0)


def test_an_account_has_its_measure_and_waiting_the_time_given_is_enough():
    clock = Clock(A_WINDOW_BEGINS_S)
    rates = Rates(2, None, clock)
    clock.now_s += 3
    assert asked(rates, "ada", 3 * WINDOW_S) == 2 * WINDOW_S
    assert rates.wait_s("ada") == WINDOW_S - 3
    assert rates.wait_s("bo") == 0.0
    clock.now_s += rates.wait_s("ada")
    assert rates.wait_s("ada") == 0.0


@given(st.lists(st.sampled_from("abc"), max_size=60), st.randoms(use_true_random=False))
def test_whoever_comes_between_changes_nobody_elses_measure(order, chance):
    mixed = chance.sample(order, len(order))
    for seen in (order, mixed):
        rates = Rates(1, None, Clock(A_WINDOW_BEGINS_S))
        let = [who for who in seen if rates.wait_s(who) == 0.0]
        assert sorted(let) == sorted(w for w in "abc" for _ in range(min(10, order.count(w))))


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis")) as redis:
        yield redis


async def test_two_hubs_on_one_redis_give_an_account_one_measure(redis_server):
    redis = [RedisConnection(redis_server.url) for _ in range(2)]
    clock, shared = Clock(A_WINDOW_BEGINS_S), [rates_storage(each) for each in redis]
    one, other = (Rates(10, each, clock) for each in shared)
    assert asked(one, "ada", 60) == 60
    assert asked(one, "bo", 100 // SMALL_PART - 1) == 100 // SMALL_PART - 1
    await one.tell(shared[0])
    assert asked(other, "ada", 30) == 30
    assert asked(other, "bo", 5) == 5
    await other.tell(shared[1])
    assert asked(other, "ada", 30) == 10  # sixty there, thirty and ten here
    assert asked(other, "bo", 100) == 95  # few there: not worth telling of
    await one.tell(shared[0])
    await other.tell(shared[1])
    await one.tell(shared[0])
    assert asked(one, "ada", 5) == 0
    clock.now_s += WINDOW_S
    assert asked(one, "ada", 5) == 5
    for each in redis:
        await each.close()


async def test_without_redis_a_hub_counts_by_itself_and_nobody_waits_for_it(caplog):
    caplog.set_level(logging.INFO)
    redis = RedisConnection("redis://127.0.0.1:1/0")
    rates = Rates(1, rates_storage(redis), Clock(A_WINDOW_BEGINS_S))
    assert asked(rates, "ada", 5) == 5
    async with running(rates.keep_telling()):
        await until(lambda: "counted by this process alone" in caplog.text)
        assert asked(rates, "ada", 20) == WINDOW_S - 5
    await redis.close()


async def test_who_asks_too_much_is_told_when_to_come_back(settings, people):
    few = settings.model_copy(update={"account_requests_per_s": 1})
    async with hub_of(few) as hub:
        viewer, admin = await entered(hub), await entered(hub, "admin")
        new = {"name": "feed", "scopes": ["flights:read"]}
        key = (await hub.post("/auth/me/keys", json=new, headers=admin)).json()["key"]
        # Windows follow each other: of two that are asked through, one is seen from its beginning.
        for whose, headers in (("account", viewer), ("API key", {"x-api-key": key})):
            answers = [await hub.get("/api/flights", headers=headers) for _ in range(4 * WINDOW_S)]
            refused = [each for each in answers if each.status_code == 429]
            assert refused, whose
            assert {each.status_code for each in answers} == {200, 429}
            assert 1 <= int(refused[0].headers["retry-after"]) <= WINDOW_S
            assert refused[0].json()["detail"] == f"more than 10 requests of one {whose} in 10 s"
        assert (await hub.get("/api/flights", headers=admin)).status_code == 200
        assert (await hub.get("/auth/me", headers=viewer)).status_code == 200
