"""The gateway's spool, driven as its intake and uplink drive it; see store_measure.py."""

from pathlib import Path

from aerocast_agent.spool import Spool
from aerocast_protocols import batch
from aerocast_protocols.batch import Acknowledgement
from aerocast_protocols.observations.bags import TagRead
from aerocast_protocols.observations.every import LIVE
from store_measure import main

BOOT = bytes(16)
EVERYTHING = ((-1, -1), (2**63 - 1, 0))


def event(number: int) -> bytes:
    """Give a tag read, encoded."""
    return batch.encode_observation(
        TagRead(
            device="portal-4",
            boot_ns=1_000_000_000 + number * 1_000_000,
            epc=number.to_bytes(12, "big"),
            antenna=1 + number % 4,
            rssi_dbm=-40.0 - number % 35,
        )
    )


class OurStore:
    """A spool whose hub acknowledges what is drained."""

    def __init__(self, folder: str) -> None:
        self._spool = Spool(Path(folder, "spool.db"), 512 * 1024 * 1024, BOOT)
        self._spool.start()

    def put(self, encoded: bytes) -> None:
        """Accept it in the live lane."""
        self._spool.add(LIVE, encoded)

    def settle(self) -> None:
        """Commit what waits."""
        self._spool.flush().result()

    def drain(self) -> int:
        """Fetch as the uplink does, and let the hub acknowledge."""
        drained, after = 0, EVERYTHING[0]
        while rows := self._spool.fetch(LIVE, after, EVERYTHING[1], 16).result()[0]:
            drained += sum(row.held for row in rows)
            epoch, reached = rows[-1].epoch, rows[-1].last
            after = (epoch, rows[-1].first)
            self._spool.acknowledge(Acknowledgement(lane=LIVE, epoch=epoch, up_to_sequence=reached))
            self._spool.flush().result()
        if any(self._spool.state().result().rows.values()):
            raise SystemExit("something is left")
        return drained

    def close(self) -> None:
        """Close the file."""
        self._spool.stop()


if __name__ == "__main__":
    main(OurStore, event)
