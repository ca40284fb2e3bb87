"""What the hub can never take in ends aside on both sides, and everything beside it arrives."""

from aerocast_agent.spool import Spool
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.gateways.views import loss_accounts
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.tables import ObservationRow, QuarantineRow
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols import batch
from aerocast_protocols.batch import Envelope
from aerocast_protocols.observations.bags import NoRead
from aerocast_protocols.observations.every import LIVE
from aerocast_protocols.topics import up
from sqlalchemy import func, select

SITE, GATEWAY = "lfbo", "hall-1"
BOOT = bytes(range(16))
NOW_US = 1_800_000_000_000_000
BAD = b"\x82\xa4kind\xa3ufo\xa6device\xa3sky"  # of a kind no hub knows, and cut short besides
GOOD = batch.encode_observation(NoRead(device="desk", boot_ns=1))


def everything_held(spool):
    """Give what a gateway would send now, oldest first, as messages."""
    spool.flush().result(60)
    messages = []
    for lane in range(3):
        rows, oldest = spool.fetch(lane, (-1, -1), (2**63 - 1, 0), 100).result(60)
        for row in rows:
            envelope = Envelope(
                codec=row.codec,
                boot_id_sent=BOOT,
                boot_ns_sent=1000,
                wall_ns_sent=NOW_US * 1000,
                clock_quality=3,
                oldest_sequence=oldest[row.epoch],
                body=row.body,
            )
            payload = batch.encode_envelope(envelope)
            messages.append(Message(up(SITE, GATEWAY, lane), payload, NOW_US))
    return messages


async def test_what_is_refused_is_set_aside_on_both_sides_and_the_account_closes(tmp_path):
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'hub.db'}")
    await migrate(database)
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    inbox = Inbox(database, {}, Publisher(database, metrics), metrics)
    spool = Spool(tmp_path / "spool.db", 10_000_000, BOOT)
    spool.start()
    try:
        for _ in range(90):
            spool.add(LIVE, GOOD)
        refused = [spool.add(LIVE, BAD) for _ in range(3)]
        last = spool.add(LIVE, GOOD)
        rounds = 0
        while messages := everything_held(spool):
            rounds += 1
            assert rounds < 10, "it does not end"
            for reply in await inbox.receive(messages):
                for acknowledgement in batch.decode_acknowledgements(reply.payload):
                    spool.acknowledge(acknowledgement)
        assert spool.state().result(60).totals["dead"] == len(refused)
        async with database.reading() as session:
            (account,) = await loss_accounts(session)
            kinds = select(ObservationRow.kind, func.count()).group_by(ObservationRow.kind)
            stored = dict((await session.execute(kinds)).all())
            aside = list(
                await session.scalars(
                    select(QuarantineRow.sequence).order_by(QuarantineRow.sequence)
                )
            )
        assert stored["no_read"] == 91
        assert aside == refused == [last - 3, last - 2, last - 1]
        assert (account.refused, account.awaited, account.unexplained) == (3, 0, 0)
    finally:
        spool.stop()
        await database.close()
