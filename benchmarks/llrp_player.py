"""An RFID reader that tells a client of many reports as fast as the network takes them."""

import asyncio
import sys

from aerocast_protocols.llrp.framing import MessageType, encode_message
from aerocast_protocols.llrp.tag_report import TagReport, encode_tag_reports
from aerocast_simulator.llrp_reader import FakeReader

REPORTS = 40_000
STARTED_US = 1_700_000_000_000_000


def messages(kind: str, each: int, reports: int = REPORTS) -> list[bytes]:
    """Encode reports, ``each`` in a message: as any reader sends them, or with Impinj's extras."""
    full = kind == "full"
    return [
        encode_message(
            MessageType.RO_ACCESS_REPORT,
            first,
            encode_tag_reports(
                (_report(number, full=full) for number in range(first, first + each)),
                impinj_extras=full,
            ),
        )
        for first in range(0, reports, each)
    ]


def _report(number: int, *, full: bool) -> TagReport:
    plain = TagReport(
        epc=number.to_bytes(12, "big"),
        antenna=1 + number % 4,
        rssi_dbm=-45.0 - number % 30,
        first_seen_us=STARTED_US + 250 * number,
    )
    if not full:
        return plain
    return TagReport(
        epc=plain.epc,
        antenna=plain.antenna,
        rssi_dbm=-45.25 - number % 30,
        first_seen_us=plain.first_seen_us,
        last_seen_us=plain.first_seen_us,
        seen_count=1,
        channel=1 + number % 4,
        phase_deg=number % 4096 * 360 / 4096,
        doppler_hz=number % 64 / 16,
        pc=0x34C1,
        rospec_id=7,
    )


async def main(kind: str, each: int) -> None:
    """Serve one client after another; prints port and reports when ready."""
    stream = b"".join(messages(kind, each))
    reader = FakeReader()
    await reader.start()
    print(reader.port, REPORTS, flush=True)
    while True:
        await asyncio.sleep(0.05)
        if reader.is_reading:
            await asyncio.sleep(1.0)  # until the client has finished its own part
            reader.play(stream)
            await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
