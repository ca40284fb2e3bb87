"""The hub's own word: connect as the daemon would, send one observation, see it stored."""

import asyncio
import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from aerocast_protocols import batch, topics
from aerocast_protocols.batch import Acknowledgement, Envelope
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import LIVE
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.asking import NotPermittedError, ask_daemon, order_daemon
from aerocast_agent.config import Config
from aerocast_agent.doctor.check import Check, failed, skipped, well
from aerocast_agent.mqtt_link import Broker, Link, LinkError, Will
from aerocast_agent.spool_reading import open_to_read
from aerocast_agent.status import Status
from aerocast_agent.ways import ways_of

ANSWER_WITHIN_S = 10.0
LOOK_EVERY_S = 0.2
ROUND_TRIP = "round trip"
REFUSED = "the broker's log says why; its operator must let this gateway in"
ABOVE = "see the checks above"


async def check_link(settings: Config) -> list[Check]:
    """Connect, publish and be acknowledged, without the daemon."""
    ways = ways_of(settings)
    checks: list[Check] = []
    for broker in ways:
        name = f"CONNECT, MQTT {broker.version}"
        try:
            checks += [await _through(broker, settings)]
        except LinkError as error:
            checks.append(failed(name, str(error), REFUSED if error.refused else ABOVE))
            continue
        return [well(name, f"{broker.url} has accepted us"), checks[-1]]
    return checks


async def _through(broker: Broker, settings: Config) -> Check:
    """Open a link of our own beside any daemon's and see one observation acknowledged."""
    site, gateway = settings.gateway.site, settings.gateway.name
    epoch = _next_epoch(Path(settings.spool.path))
    answers: asyncio.Queue[Acknowledgement] = asyncio.Queue()

    def received(_: str, payload: bytes) -> None:
        try:
            for each in batch.decode_acknowledgements(payload):
                if each.epoch == epoch:
                    answers.put_nowait(each)
        except ProtocolError:
            return  # not for us

    # No last will: the daemon's word on whether the gateway is there stays its own.
    nobody = Will(topics.up(site, gateway, "result"), b"")
    link = Link(broker, f"{site}.{gateway}.doctor", nobody, received)
    await link.open([topics.down(site, gateway, "ack")])
    try:
        began_s = time.monotonic()
        link.publish(topics.up(site, gateway, LIVE), _probe(epoch))
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answer = await answers.get()
    except TimeoutError:
        return failed(
            ROUND_TRIP,
            f"the hub has not answered within {ANSWER_WITHIN_S:g} s",
            "see that the hub runs and is on the same broker (its AEROCAST_HUB_BROKER_URL), and "
            f"that the broker lets us publish {topics.up(site, gateway, '#')}",
        )
    finally:
        await link.close()
    return judge(answer, time.monotonic() - began_s, settings)


def judge(answer: Acknowledgement, took_s: float, settings: Config) -> Check:
    """Say what the hub's answer means."""
    site, gateway = settings.gateway.site, settings.gateway.name
    if answer.status == batch.UNKNOWN_GATEWAY:
        return failed(
            ROUND_TRIP,
            f"the hub does not know gateway {site}/{gateway}, or has revoked it; all is kept here",
            f"at the hub: aerocast-hub gateway add {site} {gateway}",
        )
    if answer.status == batch.REFUSED:
        return failed(
            ROUND_TRIP,
            "the hub answers and refuses the observation",
            "is the hub older than this agent? Compare 'aerocast-agent version' with the hub's",
        )
    return well(ROUND_TRIP, f"stored at the hub and acknowledged in {took_s * 1000:.0f} ms")


def _probe(epoch: int) -> bytes:
    """Give a batch of one harmless observation, alone in an epoch of its own: it leaves no gap."""
    now_ns = clock.boot_ns()
    told = DeviceEvent(device="agent", boot_ns=now_ns, event="configuration", detail="doctor")
    body = batch.encode_body(
        epoch=epoch,
        lane=LIVE,
        first_sequence=1,
        boot_id=clock.boot_id(),
        observations=[batch.encode_observation(told)],
    )
    envelope = Envelope(
        codec=batch.PLAIN,
        boot_id_sent=clock.boot_id(),
        boot_ns_sent=now_ns,
        wall_ns_sent=clock.wall_ns(),
        clock_quality=clock.quality(),
        oldest_sequence=1,
        body=body,
    )
    return batch.encode_envelope(envelope)


def _next_epoch(spool: Path) -> int:
    """Give an epoch nobody has: the counter of the spool's next life, other random bits."""
    counter = 0
    try:
        with closing(open_to_read(spool)) as db:
            last = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
            counter = 0 if last is None else (int(last[0]) >> 32) + 1
    except (OSError, sqlite3.Error):
        counter = 0
    return (counter & 0x7FFFFFFF) << 32 | secrets.randbits(32)


def check_daemons_link(settings: Config, before: Status) -> list[Check]:
    """See the daemon's own link bring its word of health to the hub and back."""
    link = before.link or {}
    name = f"CONNECT, MQTT {link.get('mqtt_version')}"
    if not link.get("connected"):
        return [failed(name, f"the daemon: {link.get('error')}", ABOVE)]
    checks = [well(name, f"the daemon is connected to {link.get('broker')}")]
    if before.gateway_unknown:
        unknown = Acknowledgement(
            lane=LIVE, epoch=0, up_to_sequence=0, status=batch.UNKNOWN_GATEWAY
        )
        return [*checks, judge(unknown, 0.0, settings)]
    began_s = time.monotonic()
    try:
        order_daemon(settings.spool.path, "health")
    except NotPermittedError as error:
        return [*checks, skipped(ROUND_TRIP, f"{error}; try with sudo")]
    while time.monotonic() - began_s < ANSWER_WITHIN_S:
        now = ask_daemon(settings.spool.path)
        if now is not None and now.acked > before.acked:
            took_s = (now.link or {}).get("round_trip_s") or 0
            return [
                *checks,
                well(ROUND_TRIP, f"the hub acknowledges what the daemon sends, in {took_s:.3f} s"),
            ]
        time.sleep(LOOK_EVERY_S)
    return [
        *checks,
        failed(
            ROUND_TRIP,
            f"the hub has acknowledged nothing within {ANSWER_WITHIN_S:g} s",
            "see that the hub runs and is on the same broker (its AEROCAST_HUB_BROKER_URL)",
        ),
    ]
