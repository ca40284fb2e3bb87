"""The event storage of thingsboard-gateway 3.8.5, driven as it drives it; see store_measure.py.

Run by bench_spool_thingsboard.py with the interpreter of benchmarks/.venv.
"""

import json
import logging
import time
from threading import Event

from store_measure import main
from thingsboard_gateway.storage.sqlite.sqlite_event_storage import SQLiteEventStorage

QUIET = logging.getLogger("storage")
QUIET.setLevel(logging.ERROR)
QUIET.trace = QUIET.debug


def event(number: int) -> str:
    """Give a tag read as its JSON converter hands it over."""
    at_ms = 1_720_267_200_000 + number
    values = {"epc": f"{number:024x}", "antenna": 1 + number % 4, "rssi": -40.0 - number % 35}
    telemetry = [{"ts": at_ms, "values": values}]
    return json.dumps({"deviceName": "portal-4", "deviceType": "reader", "telemetry": telemetry})


class TheirStore:
    """Its storage, with its default settings."""

    def __init__(self, folder: str) -> None:
        self._storage = SQLiteEventStorage({"data_file_path": folder + "/"}, QUIET, Event())

    def put(self, encoded: str) -> None:
        """Put it into its queue."""
        self._storage.put(encoded)

    def settle(self) -> None:
        """Wait for its queue; it commits what it took out of it a moment later."""
        while self._storage.write_queue.qsize():
            time.sleep(0.02)
        time.sleep(0.5)

    def drain(self) -> int:
        """Read and delete as its sending thread does."""
        drained = 0
        while pack := self._storage.get_event_pack():
            drained += len(pack)
            self._storage.event_pack_processing_done()
        return drained

    def close(self) -> None:
        """Close it."""
        self._storage.stop()


if __name__ == "__main__":
    main(TheirStore, event)
