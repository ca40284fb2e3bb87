"""Messages as a gateway would send them."""

from aerocast_hub.inbox.unpack import Message
from aerocast_protocols.batch import (
    REFUSED,
    ZSTD,
    Envelope,
    GatewayStatus,
    decode_acknowledgements,
    encode_body,
    encode_envelope,
    encode_observation,
    encode_status,
)
from aerocast_protocols.observations.bags import TagRead
from aerocast_protocols.topics import up

BOOT = bytes(range(16))
EPOCH = 7 << 32 | 0xDEADBEEF
NOW_US = 1_800_000_000_000_000
SITE, GATEWAY = "lfbo", "hall-1"
SECOND_NS = 1_000_000_000


def tag(number, **fields):
    return TagRead(
        device="portal", boot_ns=number * SECOND_NS, epc=number.to_bytes(12), antenna=1, **fields
    )


def batch(
    first,
    observations,
    *,
    lane=2,
    epoch=EPOCH,
    boot=BOOT,
    boot_sent=BOOT,
    oldest=1,
    quality=3,
    wall_ns=NOW_US * 1000,
    boot_ns=1000 * SECOND_NS,
    codec=ZSTD,
    gateway=GATEWAY,
    received_at_us=NOW_US,
):
    """One sending; the clocks say that boot was 1000 s before ``NOW_US``."""
    body = encode_body(
        epoch=epoch,
        lane=lane,
        first_sequence=first,
        boot_id=boot,
        observations=[
            each if isinstance(each, bytes) else encode_observation(each) for each in observations
        ],
        codec=codec,
    )
    envelope = Envelope(
        codec=codec,
        boot_id_sent=boot_sent,
        boot_ns_sent=boot_ns,
        wall_ns_sent=wall_ns,
        clock_quality=quality,
        oldest_sequence=oldest,
        body=body,
    )
    return Message(up(SITE, gateway, lane), encode_envelope(envelope), received_at_us)


def tags(first, last, **options):
    """A batch of tag reads numbered ``first`` to ``last``."""
    return batch(first, [tag(number) for number in range(first, last + 1)], **options)


def status(state, *, epoch=EPOCH, gateway=GATEWAY, received_at_us=NOW_US):
    payload = encode_status(GatewayStatus(state=state, epoch=epoch, agent_version="0.1.0"))
    return Message(up(SITE, gateway, "status"), payload, received_at_us)


def acknowledged(replies):
    """(gateway, epoch, lane) -> acknowledgement of what is stored, of all replies."""
    return {
        (reply.topic.split("/")[3], ack.epoch, ack.lane): ack
        for reply in replies
        for ack in decode_acknowledgements(reply.payload)
        if ack.status != REFUSED
    }
