"""Whether the gateway's own certificate is good, and is renewed in time."""

from datetime import UTC, datetime

from aerocast_agent.config import Config
from aerocast_agent.doctor.check import Check, doubtful, failed, well
from aerocast_agent.enrolment.identity import folder_of, read_dates

NAME = "certificate"
OVERDUE_AFTER_US = 24 * 3_600_000_000
"""The daemon tries every half hour: a day without success has a reason."""


def check_identity(settings: Config, now_us: int) -> Check | None:
    """Look at the dates of an enrolled gateway's certificate; None when it was never enrolled."""
    dates = read_dates(folder_of(settings.spool.path))
    if dates is None:
        return None
    site, gateway = settings.gateway.site, settings.gateway.name
    if now_us >= dates.ends_at_us:
        return failed(
            NAME,
            f"it ended on {_day(dates.ends_at_us)}; everything is kept here",
            f"at the hub: aerocast-hub gateway claim {site} {gateway}; "
            "here: sudo aerocast-agent enrol --token TOKEN",
        )
    if now_us > dates.renew_at_us + OVERDUE_AFTER_US:
        return doubtful(
            NAME,
            f"it should have been renewed on {_day(dates.renew_at_us)}, and ends on "
            f"{_day(dates.ends_at_us)}",
            "sudo aerocast-agent enrol --renew says why it is not",
        )
    return well(
        NAME, f"good until {_day(dates.ends_at_us)}, renewed from {_day(dates.renew_at_us)}"
    )


def _day(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y-%m-%d}"
