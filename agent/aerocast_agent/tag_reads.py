"""Turn a reader's tag reports into observations. Pure; for the driver and for replays."""

from aerocast_protocols.llrp.tag_report import TagReport
from aerocast_protocols.observations.bags import TagRead


def tag_read(report: TagReport, device: str, boot_ns: int) -> TagRead:
    """Give the observation; ``boot_ns`` is when the gateway got the report, readers' clocks drift.

    The reader's own time is kept beside it: when it last saw the tag, else when it first did.
    """
    seen_us = report.first_seen_us if report.last_seen_us is None else report.last_seen_us
    return TagRead(
        device=device,
        boot_ns=boot_ns,
        epc=report.epc,
        antenna=report.antenna,
        pc=report.pc,
        rssi_dbm=report.rssi_dbm,
        phase_deg=report.phase_deg,
        doppler_hz=report.doppler_hz,
        channel=report.channel,
        reader_seen_at_us=seen_us,
        seen_count=1 if report.seen_count is None else report.seen_count,
    )
