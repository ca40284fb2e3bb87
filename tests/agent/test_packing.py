"""Bodies are packed when that makes them smaller."""

import random

from aerocast_agent.packing import pack
from aerocast_protocols import batch
from aerocast_protocols.observations.bags import NoRead

BOOT = bytes(16)


def seen(n, filling):
    return batch.encode_observation(NoRead(device=filling, boot_ns=n))


def test_what_is_small_or_will_not_shrink_stays_plain():
    assert pack(1, 0, 1, BOOT, [seen(1, "desk")])[0] == batch.PLAIN
    noise = [random.Random(7).randbytes(2000)]
    codec, body = pack(1, 0, 1, BOOT, noise)
    assert codec == batch.PLAIN
    assert len(body) > 2000


def test_what_shrinks_is_packed_and_comes_out_the_same():
    for count in (30, 1000):
        observations = [seen(n, "desk-of-the-north-hall") for n in range(count)]
        codec, body = pack(1, 0, 5, BOOT, observations)
        assert codec != batch.PLAIN
        assert len(body) < sum(map(len, observations)) / 2
        read = batch.decode_body(body, codec)
        assert [bytes(each) for each in read.observations] == observations
        assert read.first_sequence == 5
