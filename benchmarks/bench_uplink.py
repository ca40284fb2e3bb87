"""Claims about the way to the hub, over a real broker, with the hub's own acknowledgement.

An event costs the gateway at most 0.05 of the processor time of one message an event, and at least
20 times as many come through in a second; at 1,000 events a second the 99th percentile from
accepted to acknowledged is under 500 ms. The peer is the same client, broker and hub with one QoS 1
message an event, twenty in flight, let go of on the hub's acknowledgement. The hub is the tests'
fake: it decodes, keeps in memory and acknowledges, the same for both.
"""

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "agent"))

from aerocast_agent import clock
from aerocast_agent.spool import Spool
from aerocast_agent.uplink import Identity, Uplink, brokers_of
from aerocast_protocols import batch, topics
from aerocast_protocols.batch import Envelope
from aerocast_protocols.observations import BULK, LIVE
from brokers import Broker
from fake_hub import FakeHub
from our_store import event
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

ROUNDS = 5
BATCHED, SINGLE = 100_000, 4_000
IN_FLIGHT = 20
STEADY_RATE, STEADY_S = 1_000, 8.0
BOOT = bytes(16)
IDENTITY = Identity("lfbo", "hall-1", "0", BOOT)


def main() -> None:
    """Measure in turns, print medians and ratios."""
    with tempfile.TemporaryDirectory() as base:
        broker = Broker(Path(base))
        broker.start()
        hub = multiprocessing.get_context("spawn").Process(target=_hub, args=(broker.port_v5,))
        hub.start()
        time.sleep(1.5)
        try:
            ours, singles, waits = [], [], []
            for number in range(ROUNDS):
                place = Path(base, f"{number}.db")
                ours.append(asyncio.run(_batched(broker, place)))
                singles.append(_single(broker))
                steady = Path(base, f"{number}-steady.db")
                waits.append(asyncio.run(_steady(broker, steady)))
        finally:
            hub.terminate()
            hub.join()
            broker.kill()
    for name, index, better in (
        ("us CPU an event", 0, "at most 0.05"),
        ("events/s", 1, "at least 20"),
    ):
        mine, peer = (statistics.median(each[index] for each in these) for these in (ours, singles))
        print(f"aerocast {mine:10,.2f} {name}   one message an event {peer:10,.2f}")
        print(f"ratio: {mine / peer:.3f} (claim: {better})")
    p99 = statistics.median(waits)
    print(f"p99 acknowledged at {STEADY_RATE}/s: {p99:.0f} ms ({min(waits):.0f}-{max(waits):.0f})")
    print(f"ratio: {p99 / 500:.2f} of 500 ms (claim: under 1)")


def _hub(port: int) -> None:
    hub = FakeHub(port)
    threading.Event().wait()
    hub.stop()


async def _batched(broker: Broker, path: Path) -> tuple[float, float]:
    events = [event(number) for number in range(BATCHED)]
    spool = Spool(path, 512 * 1024 * 1024, BOOT)
    spool.start()
    sending = await _connected(broker, spool)
    began_s, cpu_s = time.monotonic(), time.process_time()
    for each in range(0, BATCHED, 1000):
        await asyncio.to_thread(_add, spool, events[each : each + 1000])
    while await _holds(spool):  # noqa: ASYNC110  the spool lives in a thread
        await asyncio.sleep(0.02)
    taken = (time.process_time() - cpu_s) / BATCHED * 1e6, BATCHED / (time.monotonic() - began_s)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await asyncio.to_thread(spool.stop)
    return taken


def _add(spool: Spool, events: list[bytes]) -> None:
    for each in events:
        spool.add(BULK, each)


async def _connected(broker: Broker, spool: Spool) -> asyncio.Task[None]:
    uplink = Uplink(IDENTITY, brokers_of(broker.url_v5, None, (None, None, None)), spool)
    sending = asyncio.create_task(uplink.run())
    while not uplink.state().connected:  # noqa: ASYNC110  it has no event
        await asyncio.sleep(0.02)
    return sending


async def _holds(spool: Spool) -> bool:
    state = await asyncio.wrap_future(spool.state())
    return bool(any(state.rows.values()) or state.waiting_bytes)


async def _steady(broker: Broker, path: Path) -> float:
    """Give the 99th percentile of milliseconds from accepted to acknowledged."""
    spool = Spool(path, 512 * 1024 * 1024, BOOT)
    spool.start()
    accepted_ns: dict[int, int] = {}
    waits_ms: list[float] = []
    known = 0
    acknowledge = spool.acknowledge

    def heard(acknowledgement: batch.Acknowledgement) -> None:
        nonlocal known
        if acknowledgement.lane == LIVE and acknowledgement.epoch == spool.epoch:
            now_ns = clock.boot_ns()
            new = range(known + 1, acknowledgement.up_to_sequence + 1)
            waits_ms.extend((now_ns - accepted_ns[sequence]) / 1e6 for sequence in new)
            known = max(known, acknowledgement.up_to_sequence)
        acknowledge(acknowledgement)

    spool.acknowledge = heard  # type: ignore[method-assign]  # listens in
    sending = await _connected(broker, spool)
    began_s, number = time.monotonic(), 0
    while (passed_s := time.monotonic() - began_s) < STEADY_S:
        while number < passed_s * STEADY_RATE:
            now_ns = clock.boot_ns()
            accepted_ns[spool.add(LIVE, event(number))] = now_ns
            number += 1
        await asyncio.sleep(0.005)
    while await _holds(spool):  # noqa: ASYNC110  the spool lives in a thread
        await asyncio.sleep(0.02)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await asyncio.to_thread(spool.stop)
    return statistics.quantiles(waits_ms, n=100)[98]


def _single(broker: Broker) -> tuple[float, float]:
    """Send one message an event, from memory: no spool at all on this side."""
    room, done = threading.Semaphore(IN_FLIGHT), threading.Event()
    reached = 0

    def heard(_client: Client, _data: object, message: MQTTMessage) -> None:
        nonlocal reached
        for each in batch.decode_acknowledgements(message.payload):
            for _ in range(each.up_to_sequence - reached):
                room.release()
            reached = max(reached, each.up_to_sequence)
        if reached >= SINGLE:
            done.set()

    client = Client(CallbackAPIVersion.VERSION2, client_id="single", protocol=MQTTv5)
    client.on_message = heard
    client.connect("127.0.0.1", broker.port_v5)
    client.subscribe(topics.down("lfbo", "single", "ack"), qos=1)
    client.loop_start()
    time.sleep(0.5)
    epoch = time.time_ns()
    began_s, cpu_s = time.monotonic(), time.process_time()
    for number in range(1, SINGLE + 1):
        room.acquire()
        client.publish(topics.up("lfbo", "single", LIVE), _alone(epoch, number), qos=1)
    done.wait(60)
    taken = (time.process_time() - cpu_s) / SINGLE * 1e6, SINGLE / (time.monotonic() - began_s)
    client.disconnect()
    client.loop_stop()
    return taken


def _alone(epoch: int, number: int) -> bytes:
    body = batch.encode_body(
        epoch=epoch, lane=LIVE, first_sequence=number, boot_id=BOOT, observations=[event(number)]
    )
    envelope = Envelope(
        codec=batch.PLAIN,
        boot_id_sent=BOOT,
        boot_ns_sent=clock.boot_ns(),
        wall_ns_sent=clock.wall_ns(),
        clock_quality=3,
        oldest_sequence=1,
        body=body,
    )
    return batch.encode_envelope(envelope)


if __name__ == "__main__":
    main()
