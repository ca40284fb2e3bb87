"""The uplink over a real broker, to a hub that loses, repeats, delays and refuses."""

import asyncio
import contextlib

import pytest
from aerocast_agent import clock
from aerocast_agent import uplink as uplink_module
from aerocast_agent.spool import Spool
from aerocast_agent.spool_reading import open_to_read
from aerocast_agent.uplink import Identity, Uplink
from aerocast_agent.ways import brokers_of
from aerocast_protocols import batch
from aerocast_protocols.batch import REFUSED, SLOW_DOWN, UNKNOWN_GATEWAY, Acknowledgement
from aerocast_protocols.observations.bags import NoRead
from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE
from aerocast_simulator.processes import free_port

from tests.agent.brokers import Broker
from tests.agent.fake_hub import FakeHub

IDENTITY = Identity("lfbo", "hall-1", "0.1.0", clock.boot_id())
NO_FILES = (None, None, None)


@pytest.fixture
def spool(tmp_path):
    one = Spool(tmp_path / "spool.db", 64 * 1024 * 1024, IDENTITY.boot_id)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def start_hub(broker):
    hubs = []

    def start(**options):
        hubs.append(FakeHub(broker.port_v5, **options))
        return hubs[-1]

    yield start
    for hub in hubs:
        hub.stop()


def seen(n):
    return batch.encode_observation(NoRead(device="s", boot_ns=n))


def fill(spool, lane, many, *, apart=False):
    for n in range(many):
        spool.add(lane, seen(n))
        if apart:
            spool.flush().result(60)
    spool.flush().result(60)


@contextlib.asynccontextmanager
async def running(uplink):
    task = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def uplink_to(broker, spool):
    return Uplink(IDENTITY, brokers_of(broker.url_v5, broker.url_v3, NO_FILES), spool)


async def eventually(claim, seconds=60):
    async with asyncio.timeout(seconds):
        while not claim():  # noqa: ASYNC110  what is claimed has no event
            await asyncio.sleep(0.02)


async def empty(spool):
    async with asyncio.timeout(60):
        while any((await asyncio.wrap_future(spool.state())).rows.values()):  # noqa: ASYNC110  nor has this
            await asyncio.sleep(0.05)


async def test_what_is_durable_reaches_the_hub_and_leaves_on_its_word(broker, spool, start_hub):
    hub = start_hub()
    fill(spool, LIVE, 700)
    async with running(uplink_to(broker, spool)) as uplink:
        await empty(spool)
        spool.add(CRITICAL, seen(1))
        await eventually(lambda: hub.sequences(CRITICAL, spool.epoch) == [1])
        await empty(spool)
        assert uplink.state().mqtt_version == 5
        assert 0 < uplink.state().round_trip_s < 60
    assert hub.sequences(LIVE, spool.epoch) == list(range(1, 701))
    assert hub.wait_for(lambda hub: hub.statuses[:1] == ["online"])
    assert hub.wait_for(lambda hub: hub.statuses[-1] == "gone")
    assert spool.state().result(60).counters.acked == 701


async def test_a_link_made_anew_costs_nothing_and_nobody_is_told_that_the_gateway_is_gone(
    broker, spool, start_hub
):
    hub = start_hub()
    async with running(uplink_to(broker, spool)) as uplink:
        await eventually(lambda: uplink.state().connected)
        for number in range(1, 4):
            fill(spool, LIVE, 200)
            uplink.reconnect()  # in the middle of it
            await eventually(lambda: hub.statuses.count("online") == number + 1)  # noqa: B023  now
            await empty(spool)
        assert uplink.state().connected
        told = list(hub.statuses)
    assert hub.sequences(LIVE, spool.epoch) == list(range(1, 601))
    assert "gone" not in told


async def test_nothing_leaves_while_the_hub_is_silent(broker, spool, start_hub):
    hub = start_hub()
    hub.answer_with = lambda *_: None
    fill(spool, LIVE, 20, apart=True)
    async with running(uplink_to(broker, spool)):
        assert await asyncio.to_thread(hub.wait_for, lambda hub: len(hub.arrivals) >= 8)
        await asyncio.sleep(0.5)
        assert (await asyncio.wrap_future(spool.state())).rows[LIVE] == 20
        assert len(set(hub.arrivals)) <= 16  # the window; what is late goes again
        hub.answer_with = None
        await empty(spool)
    assert hub.sequences(LIVE, spool.epoch) == list(range(1, 21))


async def test_what_happens_now_does_not_wait_behind_the_backlog(broker, spool, start_hub):
    hub = start_hub()
    hub.answer_with = lambda *_: None
    fill(spool, BULK, 60, apart=True)
    async with running(uplink_to(broker, spool)):
        assert await asyncio.to_thread(hub.wait_for, lambda hub: len(hub.arrivals) >= 8)
        spool.add(BULK, seen(61))
        assert await asyncio.to_thread(
            hub.wait_for, lambda hub: (BULK, spool.epoch, 61) in hub.arrivals
        )
        assert (BULK, spool.epoch, 30) not in hub.arrivals
        hub.answer_with = None
        await empty(spool)


async def test_a_hub_that_loses_and_repeats_ends_up_with_everything_once(broker, spool, start_hub):
    hub = start_hub(seed=7, loses=0.1, repeats=0.3)
    async with running(uplink_to(broker, spool)):
        for n in range(30):
            fill(spool, (CRITICAL, LIVE, BULK)[n % 3], 5)
        await empty(spool)
    for lane in (CRITICAL, LIVE, BULK):
        assert hub.sequences(lane, spool.epoch) == list(range(1, 51))


async def test_a_gateway_the_hub_does_not_know_keeps_everything_and_says_so(
    broker, spool, start_hub
):
    hub = start_hub()
    hub.answer_with = lambda _, body: Acknowledgement(
        lane=body.lane, epoch=body.epoch, up_to_sequence=0, status=UNKNOWN_GATEWAY
    )
    fill(spool, LIVE, 5, apart=True)
    async with running(uplink_to(broker, spool)) as uplink:
        await eventually(lambda: uplink.state().gateway_unknown)
        arrived = len(hub.arrivals)
        await asyncio.sleep(0.5)
        assert len(hub.arrivals) <= arrived + 5  # those already on their way
        assert (await asyncio.wrap_future(spool.state())).rows[LIVE] == 5


async def test_a_hub_that_asks_for_less_gets_less_and_then_everything(broker, spool, start_hub):
    hub = start_hub()
    was_seen = False

    def answer(envelope, body):
        hub.store(body)
        more = {} if was_seen else {"status": SLOW_DOWN, "retry_after_ms": 300}
        return hub.acknowledgement(body.lane, body.epoch, **more)

    hub.answer_with = answer
    fill(spool, LIVE, 40, apart=True)
    async with running(uplink_to(broker, spool)) as uplink:
        await eventually(lambda: uplink.state().slowed_down)
        was_seen = True
        await empty(spool)
    assert hub.sequences(LIVE, spool.epoch) == list(range(1, 41))


async def test_what_the_hub_refuses_for_good_does_not_hold_up_the_rest(broker, spool, start_hub):
    hub = start_hub()

    def answer(envelope, body):
        bad = [n for n in range(body.first_sequence, body.first_sequence + body.count) if n == 3]
        if body.lane == LIVE and bad:
            return Acknowledgement(
                lane=body.lane,
                epoch=body.epoch,
                up_to_sequence=0,
                missing_ranges=((3, 3),),
                status=REFUSED,
            )
        hub.stored.setdefault((LIVE, body.epoch), {})[3] = b"accounted for"  # as refused
        return hub.store(body)

    hub.answer_with = answer
    fill(spool, LIVE, 5)
    async with running(uplink_to(broker, spool)):
        await empty(spool)
    assert hub.sequences(LIVE, spool.epoch) == [1, 2, 3, 4, 5]
    assert spool.state().result(60).counters.dead == 1
    assert len(hub.sequences(CRITICAL, spool.epoch)) == 1  # told by an Evicted


async def test_a_broker_without_version_5_is_spoken_to_in_version_3(broker, spool, start_hub):
    hub = start_hub()
    fill(spool, LIVE, 3)
    only_v3 = Uplink(IDENTITY, brokers_of(broker.url_v3, None, NO_FILES), spool)
    async with running(only_v3) as uplink:
        await empty(spool)
        assert uplink.state().mqtt_version == 3
    assert hub.sequences(LIVE, spool.epoch) == [1, 2, 3]


async def test_a_broker_that_is_not_there_is_named_in_the_state(spool):
    url = f"mqtt://127.0.0.1:{free_port()}"
    async with running(Uplink(IDENTITY, brokers_of(url, None, NO_FILES), spool)) as uplink:
        await eventually(lambda: uplink.state().error is not None)
        assert url in uplink.state().error
        assert not uplink.state().connected


async def test_whoever_asks_ends_the_pause_before_the_next_attempt(tmp_path, spool, monkeypatch):
    monkeypatch.setattr(uplink_module, "FIRST_PAUSE_S", 3600.0)
    monkeypatch.setattr(uplink_module.random, "uniform", lambda _least, most: most)
    late = Broker(tmp_path)
    fill(spool, LIVE, 10)
    only = brokers_of(late.url_v5, None, NO_FILES)
    async with running(Uplink(IDENTITY, only, spool)) as uplink:
        await eventually(lambda: uplink.state().error is not None)
        late.start()
        hub = FakeHub(late.port_v5)
        try:
            uplink.send_again()
            await empty(spool)
        finally:
            hub.stop()
    late.kill()


async def test_a_broker_that_dies_costs_nothing(tmp_path, spool):
    broker = Broker(tmp_path)
    broker.start()
    hub = FakeHub(broker.port_v5)
    try:
        async with running(uplink_to(broker, spool)) as uplink:
            fill(spool, LIVE, 10)
            await eventually(lambda: hub.sequences(LIVE, spool.epoch))
            broker.kill()
            await eventually(lambda: not uplink.state().connected)
            fill(spool, LIVE, 10)
            broker.start()
            await empty(spool)
        assert hub.sequences(LIVE, spool.epoch) == list(range(1, 21))
    finally:
        hub.stop()
        broker.kill()


async def test_the_envelope_says_when_it_was_sent_and_what_is_held(broker, spool, start_hub):
    hub = start_hub()
    fill(spool, LIVE, 2, apart=True)
    async with running(uplink_to(broker, spool)):
        await empty(spool)
    envelope, body = hub.envelopes[0]
    assert envelope.boot_id_sent == IDENTITY.boot_id == body.boot_id
    assert 0 < clock.boot_ns() - envelope.boot_ns_sent < 60_000_000_000
    assert envelope.oldest_sequence == 1


async def test_an_order_is_answered(broker, spool, start_hub):
    hub = start_hub()
    uplink = uplink_to(broker, spool)

    async def answer(payload):
        return payload[::-1]

    uplink.on_command = answer
    async with running(uplink):
        await eventually(lambda: uplink.state().connected)
        hub.order(b"abc")
        assert await asyncio.to_thread(hub.wait_for, lambda hub: b"cba" in hub.statuses)


async def test_a_batch_the_hub_can_never_read_is_set_aside_and_told(broker, spool, start_hub):
    hub = start_hub()
    fill(spool, LIVE, 1)
    spool.add(LIVE, b"\xc1")  # no msgpack: it spoils the batch it is in
    fill(spool, LIVE, 1)
    async with running(uplink_to(broker, spool)):
        await eventually(lambda: hub.unreadable)
        fill(spool, LIVE, 1)  # another is read meanwhile
        await eventually(lambda: hub.sequences(CRITICAL, spool.epoch) == [1], 30)
        await eventually(lambda: not any(spool.state().result(60).rows.values()))
    (told,) = hub.stored[CRITICAL, spool.epoch].values()
    told = batch.decode_observation(told)
    assert (told.lane, told.first_sequence, told.last_sequence) == (LIVE, 2, 3)
    assert told.reason == "unreadable"
    assert hub.sequences(LIVE, spool.epoch) == [1, 4]
    assert spool.state().result(60).totals["dead"] == 2


def written(path):
    """Count the observations that ever came into the file."""
    with contextlib.closing(open_to_read(path)) as db:
        return dict(db.execute("SELECT key, value FROM meta")).get("accepted", 0)


async def spared_or_written(spool, path, number, before):
    """Say whether the hub had it first."""
    while written(path) == before:
        if spool.state().result(60).counters.acked == number:
            return written(path) == before
        await asyncio.sleep(0.01)
    return False


async def test_what_a_quick_hub_has_before_it_is_due_is_never_written(
    broker, spool, start_hub, tmp_path
):
    hub = start_hub()
    fill(spool, LIVE, 1)
    async with running(uplink_to(broker, spool)) as uplink:
        await eventually(lambda: uplink.state().round_trip_s is not None)
        await eventually(lambda: not any(spool.state().result(60).rows.values()))
        for number in range(2, 150):  # on a busy machine the hub is not always quick
            before = written(tmp_path / "spool.db")
            spool.add(LIVE, seen(number))
            await eventually(
                lambda n=number: hub.sequences(LIVE, spool.epoch) == list(range(1, n + 1))
            )
            if await spared_or_written(spool, tmp_path / "spool.db", number, before):
                break
            spool.flush().result(60)
        else:
            pytest.fail("it was written each time")
    state = spool.state().result(60)
    assert state.counters.durable == state.counters.acked == number
    assert state.totals["accepted"] == state.totals["acked"] == number
    spool.flush().result(60)
    spool.stop()
    assert written(tmp_path / "spool.db") == number
