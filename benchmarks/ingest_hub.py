"""The hub of bench_ingest.py, in a process of its own; when asked so with nothing behind it."""

import os

from aerocast_hub import app
from aerocast_hub.ingest.reported import Report
from aerocast_hub.ingest.taking import PartnerInbox
from aerocast_hub.serve import serve
from aerocast_hub.settings import load_settings
from aerocast_protocols.batch import Acknowledgement
from aerocast_protocols.observations.every import LIVE


class NullInbox(PartnerInbox):
    """Says of everything that it is stored."""

    async def take(self, site: str, name: str, report: Report) -> list[Acknowledgement]:  # noqa: ARG002  the inbox's own
        """Store nothing."""
        last = report.first_sequence + len(report.events) - 1
        return [Acknowledgement(lane=LIVE, epoch=report.epoch, up_to_sequence=last)]


if __name__ == "__main__":
    if os.environ["AEROCAST_BENCH_NULL_STORE"]:
        app.PartnerInbox = NullInbox  # type: ignore[misc]  stands in for it
    serve(load_settings())
