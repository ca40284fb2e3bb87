"""Claims about the way to the hub, over a real broker, with the hub's own acknowledgement.

An event costs the gateway at most 0.05 of the processor time of one message an event, and at least
20 times as many come through in a second; at 1,000 events a second the 99th percentile from
accepted to acknowledged is under 500 ms. The peer is the same client, broker and hub with one QoS 1
message an event, twenty in flight, let go of on the hub's acknowledgement. The hub is the tests'
fake: it decodes, remembers how far it has come and acknowledges, the same for both.

And: where the hub answers in 20 ms, sending ahead of the commit takes at most a quarter of the
bytes to disk, for no more processor time (1.1), than the same spool without it.
"""

import asyncio
import statistics
import threading
import time
from pathlib import Path

from aerocast_agent import clock
from aerocast_agent.spool import Spool
from aerocast_agent.spool_rows import Row
from aerocast_protocols import batch, topics
from aerocast_protocols.batch import Envelope
from aerocast_protocols.observations.every import BULK, LIVE
from hub_beside import BUDGET, Place, Waits, connected, hub_beside, until_empty
from our_store import BOOT, event
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

ROUNDS = 5
BATCHED, SINGLE = 100_000, 4_000
IN_FLIGHT = 20
STEADY_RATE, STEADY_S = 1_000, 8.0
AHEAD_RATES, AHEAD_S, ANSWERS_AFTER_S = (200, 1_000), 6.0, 0.02


def main() -> None:
    """Measure in turns, print medians and ratios."""
    ours, singles, waits = [], [], []
    with hub_beside() as place:
        for number in range(ROUNDS):
            ours.append(asyncio.run(_batched(place, f"{number}.db")))
            singles.append(_single(place))
            waits.append(asyncio.run(_steady(place, f"{number}-steady.db")))
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

    _compare_ahead()


def _compare_ahead() -> None:
    taken: dict[tuple[int, type[Spool]], list[tuple[float, float]]] = {}
    with hub_beside(ANSWERS_AFTER_S) as place:
        for number in range(ROUNDS):
            for rate in AHEAD_RATES:
                for kind in (Spool, _WritesFirst):
                    name = f"{number}-{rate}-{kind.__name__}.db"
                    each = asyncio.run(_ahead(place, kind, name, rate))
                    taken.setdefault((rate, kind), []).append(each)
    for rate in AHEAD_RATES:
        for index, unit, claim in ((0, "us CPU", 1.1), (1, "bytes to disk", 0.25)):
            ahead, first = (
                statistics.median(each[index] for each in taken[rate, kind])
                for kind in (Spool, _WritesFirst)
            )
            print(
                f"at {rate}/s sent ahead {ahead:6.1f}, written first {first:6.1f} {unit} an event"
            )
            print(f"ratio: {ahead / first:.2f} (claim: at most {claim})")


class _WritesFirst(Spool):
    """A spool that gives nothing out before its commit."""

    def lend(self, lane: int) -> Row | None:  # noqa: ARG002  as in Spool
        return None


async def _ahead(place: Place, kind: type[Spool], name: str, rate: int) -> tuple[float, float]:
    """Give processor microseconds and bytes to disk of an event."""
    spool = kind(Path(place.folder, name), BUDGET, BOOT)
    spool.start()
    waits = Waits(spool)
    async with connected(place, spool):
        await asyncio.sleep(1.0)
        cpu_s, before = time.process_time(), _written_bytes()
        seen = await waits.see(rate, AHEAD_S)
        await until_empty(spool)
        return (time.process_time() - cpu_s) / seen * 1e6, (_written_bytes() - before) / seen


def _written_bytes() -> int:
    told = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in told)["write_bytes"])


async def _batched(place: Place, name: str) -> tuple[float, float]:
    events = [event(number) for number in range(BATCHED)]
    spool = Spool(Path(place.folder, name), BUDGET, BOOT)
    spool.start()
    async with connected(place, spool):
        began_s, cpu_s = time.monotonic(), time.process_time()
        for each in range(0, BATCHED, 1000):
            await asyncio.to_thread(_add, spool, events[each : each + 1000])
        await until_empty(spool)
        took_s = time.monotonic() - began_s
        return (time.process_time() - cpu_s) / BATCHED * 1e6, BATCHED / took_s


def _add(spool: Spool, events: list[bytes]) -> None:
    for each in events:
        spool.add(BULK, each)


async def _steady(place: Place, name: str) -> float:
    """Give the 99th percentile of milliseconds from accepted to acknowledged."""
    spool = Spool(Path(place.folder, name), BUDGET, BOOT)
    spool.start()
    waits = Waits(spool)
    async with connected(place, spool):
        await waits.see(STEADY_RATE, STEADY_S)
        await until_empty(spool)
    return statistics.quantiles(waits.ms, n=100)[98]


def _single(place: Place) -> tuple[float, float]:
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
    client.connect("127.0.0.1", place.broker.port_v5)
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
