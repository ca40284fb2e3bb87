"""Every column that holds something of a person: what, why, how long, and who sees it.

A test looks at every table: one that holds nothing of anybody is named in `NOBODY`. A new table
goes into one of the two.
"""

from typing import Literal

import msgspec

Category = Literal["passenger", "staff", "partner"]


class Personal(msgspec.Struct, frozen=True, kw_only=True):
    """A column with personal data.

    Attributes
    ----------
    kept
        How long: a setting's name, or until when.
    seen_by
        The permission that shows it whole; everyone else sees it masked or not at all.
    sealed
        It is encrypted at rest (`aerocast_hub.data_keys`), or a hash that cannot be read back.
    """

    column: str
    category: Category
    what: str
    why: str
    kept: str
    seen_by: str
    sealed: bool = False


def _passenger(column: str, what: str, why: str, seen_by: str, *, sealed: bool) -> Personal:
    return Personal(
        column=column,
        category="passenger",
        what=what,
        why=why,
        kept="PERSONAL_DAYS after the flight",
        seen_by=seen_by,
        sealed=sealed,
    )


def _staff(column: str, what: str, why: str, kept: str, seen_by: str = "users:read") -> Personal:
    return Personal(column=column, category="staff", what=what, why=why, kept=kept, seen_by=seen_by)


_FIND = "to find a passenger's bags, and to hand a bag to its owner"
_WHO_DID = "to say who did it"

INVENTORY: tuple[Personal, ...] = (
    _passenger("passengers.surname", "surname", _FIND, "baggage:passengers", sealed=True),
    _passenger("passengers.surname_key", "surname as compared", _FIND, "nobody", sealed=True),
    _passenger(
        "passengers.passenger",
        "given name or booking reference",
        _FIND,
        "baggage:passengers",
        sealed=True,
    ),
    _passenger(
        "passengers.passenger_index",
        "keyed hash of the booking reference",
        _FIND,
        "nobody",
        sealed=True,
    ),
    _passenger(
        "bag_messages.raw",
        "baggage messages as they came: names, booking references",
        "to read a message again that comes in parts, and to pass it on to partners",
        "nobody; partners are sent theirs",
        sealed=True,
    ),
    _passenger(
        "bags.passenger_id",
        "which bags are one passenger's",
        _FIND,
        "nobody",
        sealed=False,
    ),
    _passenger(
        "bag_evidence.body",
        "the hub's own id of the passenger, in what an airline announced",
        _FIND,
        "nobody",
        sealed=False,
    ),
    _staff("users.name", "account name", "to log in", "for ever: the trail names it"),
    _staff("badges.assigned_by", "account name", _WHO_DID, "with the badge"),
    _staff("audit.actor", "account name", _WHO_DID, "AUDIT_DAYS", "audit:read"),
    _staff("audit.subject", "account name, where an account changed", _WHO_DID, "AUDIT_DAYS"),
    _staff("audit.client", "network address", "to find abuse", "AUDIT_DAYS", "audit:read"),
    _staff("audit.before", "what was changed", _WHO_DID, "AUDIT_DAYS", "audit:read"),
    _staff("audit.after", "what it became", _WHO_DID, "AUDIT_DAYS", "audit:read"),
    _staff("alerts.acknowledged_by", "account name", _WHO_DID, "RECORD_DAYS", "alerts:read"),
    _staff("alert_changes.by", "account name", _WHO_DID, "RECORD_DAYS", "alerts:read"),
    _staff("alert_changes.note", "what somebody typed", _WHO_DID, "RECORD_DAYS", "alerts:read"),
    _staff("gateway_orders.asked_by", "account name", _WHO_DID, "30 days", "gateways:read"),
    _staff("webhooks.created_by", "account name", _WHO_DID, "with the webhook", "webhooks:write"),
    _staff("epcis_captures.created_by", "account name", _WHO_DID, "RECORD_DAYS", "nobody"),
    _staff("place_outages.told_by", "account name", _WHO_DID, "for ever", "orientation:read"),
    _staff("place_outages.lifted_by", "account name", _WHO_DID, "for ever", "orientation:read"),
    _staff("passenger_links.made_by", "account name", _WHO_DID, "RECORD_DAYS"),
    _staff("passenger_links.revoked_by", "account name", _WHO_DID, "RECORD_DAYS"),
    _passenger(
        "passenger_links.passenger_id", "whose page a link opens", _FIND, "nobody", sealed=False
    ),
    _staff(
        "sessions.client", "network address", "to show one's own logins", "until the session ends"
    ),
    _staff(
        "sessions.browser", "kind of browser", "to show one's own logins", "until the session ends"
    ),
    _staff("login_challenges.user_id", "who is logging in", "to log in", "minutes"),
    _staff("api_keys.made_by", "account name", _WHO_DID, "with the key"),
    _staff(
        "passkeys.name", "what its owner calls it", "to tell passkeys apart", "with the passkey"
    ),
    _staff("attempt_counts.key", "account or network address", "to slow guessing down", "an hour"),
    _staff(
        "provider_identities.subject",
        "who somebody is at the airport's identity provider",
        "to log in",
        "with the account",
    ),
    _staff("provider_sign_ins.link_user_id", "who is logging in", "to log in", "minutes"),
)

NOBODY = frozenset(
    [
        "advice_counts",
        "aircraft_winds",
        "airport_settings",
        "arrivals",
        "arrivals_learned",
        "audit_anchors",
        "badge_showings",
        "bag_legs",
        "bag_message_plates",
        "bag_partners",
        "bag_plates",
        "boot_clocks",
        "clock_sets",
        "epcis_epcs",
        "epcis_events",
        "epcis_queries",
        "epcis_subscriptions",
        "evictions",
        "flights",
        "followers",
        "gateway_certificates",
        "gateway_claims",
        "gateway_counts",
        "gateway_states",
        "gateways",
        "ground_events",
        "heading_biases",
        "heading_cells",
        "leases",
        "lightning_listening",
        "lightning_strikes",
        "lives",
        "local_weather",
        "marks",
        "metars",
        "model_forecasts",
        "nowcasts",
        "observations",
        "outbox",
        "place_maps",
        "place_queues",
        "quarantine",
        "ramp_states",
        "recovery_codes",
        "refresh_tokens",
        "refused_metars",
        "role_permissions",
        "roles",
        "runways",
        "shared_keys",
        "stands",
        "station_models",
        "station_reports",
        "tafs",
        "totp_secrets",
        "unread_bags",
        "user_airlines",
        "user_roles",
        "user_stations",
        "weather_feeds",
        "weather_hazards",
        "webhook_deliveries",
        "wind_blocks",
        "wind_profiles",
    ]
)
"""Tables that hold nothing of anybody, but for an account's own random id."""
