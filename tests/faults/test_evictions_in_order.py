"""Records of what was given up never overtake what was seen before them and still waits."""

import os

from aerocast_agent.spool import Spool
from aerocast_protocols import batch
from aerocast_protocols.batch import Acknowledgement
from aerocast_protocols.observations.bags import NoRead
from aerocast_protocols.observations.every import BULK, CRITICAL

BUDGET = 2 * 1024 * 1024
EVERYTHING = ((-1, -1), (2**63 - 1, 0))


def seen(n):
    return batch.encode_observation(NoRead(device=os.urandom(100).hex(), boot_ns=n))


def test_a_record_of_an_eviction_waits_for_the_scans_before_it(tmp_path):
    spool = Spool(tmp_path / "spool.db", BUDGET, bytes(16))
    spool.start()
    bulk = [seen(n) for n in range(500)]
    reached = 0
    try:
        for n in range(25):
            for each in [*bulk, *bulk[:-1]]:
                spool.add(BULK, each)
            spool.add(CRITICAL, seen(n))
            spool.add(BULK, bulk[-1])  # fills a batch: committed at once, the scan is not due yet
            for _ in range(10):
                rows, oldest = spool.fetch(CRITICAL, *EVERYTHING, 1000).result(60)
                held = [n for row in rows for n in range(row.first, row.last + 1)]
                assert held == list(range(reached + 1, reached + 1 + len(held)))
                assert all(each == reached + 1 for each in oldest.values())
            if rows:
                reached = rows[-1].last
                spool.acknowledge(
                    Acknowledgement(lane=CRITICAL, epoch=spool.epoch, up_to_sequence=reached)
                )
                spool.flush().result(60)
        assert spool.state().result(60).counters.evicted
    finally:
        spool.stop()
