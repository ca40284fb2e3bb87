"""What must be looked at, decided from bags and flights. Pure.

Every condition has a key that is the same as long as it is the same thing that is wrong: raising
it twice raises nothing.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from aerocast_hub.baggage.journey import Journey
from aerocast_hub.baggage.reconciliation import Due, FlightBags, authority_to_load, is_aboard

Severity = Literal["info", "warning", "critical"]
Kind = Literal[
    "duplicate_plate", "unannounced_bag", "irregularity", "not_authorised", "wrong_flight",
    "at_risk", "left_behind", "tag_swap", "unread_bags", "webhook_dead",
    "ramp_closed", "ramp_unknown", "ramp_caution", "low_visibility",
    "account_locked",
]  # fmt: skip


MANY_UNREAD = 5
MOST_NAMED = 6


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong now.

    Attributes
    ----------
    key
        Names it within everything.
    subject
        What it is about: ``bag <id>``, ``flight <id>``, ``belt <site> <belt>``, ``webhook <id>``,
        ``ramp <airport>``, ``account <id>``.
    reason
        Why, for an operator.
    """

    key: str
    kind: Kind
    severity: Severity
    subject: str
    reason: str


_IRREGULARITIES = {
    "not_authorised": "a partner reports it loaded without authority (NAL)",
    "on_hand_refused": "a partner has it on hand without authority (OND)",
    "on_hand": "a partner has it on hand (ONA)",
    "not_seen": "a partner has not seen it (BNS)",
}


def of_bag(bag_id: str, journey: Journey) -> list[Condition]:
    """Give what is wrong with a bag whatever flight it is on."""
    found = []
    if journey.duplicate:
        why = next(each.why for each in journey.reasons if each.flag == "duplicate")
        found.append(_of_bag(bag_id, "duplicate_plate", "warning", why))
    if not journey.legs and journey.state not in ("delivered", "claimed"):
        found.append(
            _of_bag(bag_id, "unannounced_bag", "info", "seen, and no airline announced it")
        )
    if (why_irregular := _IRREGULARITIES.get(journey.irregularity or "")) is not None:
        found.append(_of_bag(bag_id, "irregularity", "warning", why_irregular))
    return found


def of_aboard(
    bag_id: str, journey: Journey, flight_id: str, due: Due, now_us: int
) -> list[Condition]:
    """Give what is wrong with a bag being aboard a flight that has not left."""
    has_left = due.off_block_us is not None and due.off_block_us <= now_us
    if has_left or not is_aboard(journey, due.leg, due.origin_codes):
        return []
    authority = authority_to_load(journey, due.leg)
    if authority.decision != "refused":
        return []
    is_stranger = "not booked on this flight" in authority.reasons
    place = f", in {journey.container}" if journey.container else ""
    flight = f"{due.leg.flight} of {due.leg.date}"
    return [
        Condition(
            key=f"aboard {bag_id} {flight_id}",
            kind="wrong_flight" if is_stranger else "not_authorised",
            severity="critical",
            subject=f"bag {bag_id}",
            reason=f"aboard {flight}{place}: {', '.join(authority.reasons)}",
        )
    ]


def of_flight(flight_id: str, due: Due, bags: FlightBags) -> list[Condition]:
    """Give what is wrong with a flight's bags as a whole."""
    name = f"{due.leg.flight} of {due.leg.date}"
    found: list[Condition] = []
    plates = {bag.bag_id: bag.licence_plate for bag in bags.bags}
    late, left = ([plates[each] for each in some] for some in (bags.at_risk, bags.left_behind))
    found += _of_flight(flight_id, "at_risk", late, f"not made up in time for {name}")
    found += _of_flight(flight_id, "left_behind", left, f"left behind by {name}")
    return found + [
        Condition(
            key=f"swap {one} {other} {flight_id}",
            kind="tag_swap",
            severity="warning",
            subject=f"flight {flight_id}",
            reason=f"bags {one} and {other} look exchanged: each is aboard the other's flight",
        )
        for one, other in bags.swapped
    ]


def of_belt(site: str, belt: str, unread: int, minutes: int) -> list[Condition]:
    """Give what is wrong with a belt that lets bags pass unread."""
    if unread == 0:
        return []
    return [
        Condition(
            key=f"unread {site} {belt}",
            kind="unread_bags",
            severity="warning" if unread >= MANY_UNREAD else "info",
            subject=f"belt {site} {belt}",
            reason=f"bags went past unread: {unread} in {minutes} min",
        )
    ]


def _of_flight(flight_id: str, kind: Kind, plates: Sequence[str], why: str) -> list[Condition]:
    if not plates:
        return []
    named = ", ".join(sorted(plates)[:MOST_NAMED])
    more = f" and {len(plates) - MOST_NAMED} more" if len(plates) > MOST_NAMED else ""
    bags = "1 bag" if len(plates) == 1 else f"{len(plates)} bags"
    return [
        Condition(
            key=f"{kind} {flight_id}",
            kind=kind,
            severity="warning",
            subject=f"flight {flight_id}",
            reason=f"{bags} {why}: {named}{more}",
        )
    ]


def _of_bag(bag_id: str, kind: Kind, severity: Severity, why: str) -> Condition:
    subject = f"bag {bag_id}"
    return Condition(
        key=f"{kind} {bag_id}", kind=kind, severity=severity, subject=subject, reason=why
    )


def of_account(user_id: str, after_tries: int) -> Condition:
    """Say that an account is locked; whose it is is for administrators to see."""
    return Condition(
        key=f"account_locked {user_id}",
        kind="account_locked",
        severity="warning",
        subject=f"account {user_id}",
        reason=f"an account is locked after {after_tries} wrong passwords or codes in a row",
    )


def of_webhook(webhook_id: str, url: str, why: str) -> Condition:
    """Say that a webhook was given up; of its address only the server is told."""
    server = "/".join(url.split("/")[:3])
    return Condition(
        key="webhook_dead",
        kind="webhook_dead",
        severity="warning",
        subject=f"webhook {webhook_id}",
        reason=f"nothing reaches {server} any more: {why}",
    )
