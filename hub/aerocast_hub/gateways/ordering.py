"""When a gateway may be given an order, and what has become of one. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from aerocast_protocols.commands import Verb

SECOND_US = 1_000_000
MOST_OPEN = 8
GOOD_FOR_S: Mapping[Verb, int] = {
    "ping": 30,
    "flush": 60,
    "restart_device": 60,
    "probe": 120,
    "diagnose": 300,
}
"""How long a gateway has to begin, and its answer to come, before nobody expects it any more. It
lasts as long as the work may: a device takes its time, a bundle goes over a slow line."""

OrderState = Literal["waiting", "done", "failed", "no_answer"]


def state_of(
    expires_at_us: int, answered_at_us: int | None, error: str | None, now_us: int
) -> OrderState:
    """Say what has become of an order: an answer counts whenever it came."""
    if answered_at_us is not None:
        return "done" if error is None else "failed"
    return "waiting" if now_us < expires_at_us else "no_answer"


def why_not(gateway: str, state: str, last_seen_at_us: int | None, waiting: int) -> str | None:
    """Say why a gateway is given no order now; None: it is.

    Parameters
    ----------
    gateway
        Its site and name.
    state
        As `GatewayView` has it.
    waiting
        How many orders of it wait for an answer.
    """
    if state == "revoked":
        return f"gateway {gateway} is revoked: let it in again first"
    if state == "never" or last_seen_at_us is None:
        return f"gateway {gateway} was never heard: enrol it, and see that its agent runs"
    if state != "online":
        since = datetime.fromtimestamp(last_seen_at_us // SECOND_US, UTC)
        return (
            f"gateway {gateway} is not connected, silent since {since:%Y-%m-%dT%H:%M:%SZ}: "
            "order again when it is back, orders do not wait for it"
        )
    if waiting >= MOST_OPEN:
        return (
            f"gateway {gateway} has {waiting} orders without an answer, at most {MOST_OPEN}: "
            "wait for one, or until it expires"
        )
    return None
