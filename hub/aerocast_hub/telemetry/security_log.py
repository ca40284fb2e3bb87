"""What touches security, for a SIEM: one line of JSON an event, in Elastic Common Schema.

Field names are those of ECS 8. ``event.hash`` is the seal of the line in the trail: whoever keeps
these lines elsewhere can tell whether the trail was cut or forged (`aerocast-hub audit verify`).
What changed, secrets and passengers' names are never told here.
"""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from aerocast_hub.telemetry import process

ECS_VERSION = "8.17.0"
_CATEGORIES = (
    ("login", "authentication"),
    ("logout", "authentication"),
    ("token", "authentication"),
    ("session", "authentication"),
    ("user", "iam"),
    ("role", "iam"),
    ("badge_login", "authentication"),
    ("badge", "iam"),
    ("second_factor_failed", "authentication"),
    ("password_change_failed", "authentication"),
    ("second_factor", "iam"),
    ("recovery_codes", "iam"),
    ("password", "iam"),
    ("account", "iam"),
    ("api_key", "iam"),
    ("provider", "iam"),
    ("key", "iam"),
)

_log = logging.getLogger("aerocast_hub.security")


class Told(Protocol):
    """What is told of a line of the trail."""

    @property
    def number(self) -> int: ...  # noqa: D102  as in `aerocast_hub.audit.chain.Line`
    @property
    def at_us(self) -> int: ...  # noqa: D102
    @property
    def action(self) -> str: ...  # noqa: D102
    @property
    def outcome(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def actor(self) -> str: ...  # noqa: D102
    @property
    def client(self) -> str | None: ...  # noqa: D102
    @property
    def hash(self) -> bytes: ...  # noqa: D102


def tell_security_log(line: Told) -> None:
    """Tell that something was done, after its commit."""
    failed = line.outcome == "failure"
    _log.log(
        logging.WARNING if failed else logging.INFO,
        "%s of %s by %s: %s",
        line.action,
        line.subject,
        line.actor,
        line.outcome,
        extra={"ecs": fields_of(line)},
    )


def tell_refusal(actor: str, client: str | None, why: str) -> None:
    """Tell that somebody was refused; the trail, which is of changes, has no line of it."""
    fields: dict[str, object] = {
        "event.kind": "event",
        "event.dataset": "aerocast.access",
        "event.category": ["web"],
        "event.type": ["denied"],
        "event.action": "access_refused",
        "event.outcome": "failure",
        "event.reason": why,
        "user.name": actor,
    }
    if client is not None:
        fields["client.address"] = client
    _log.warning("%s was refused: %s", actor, why, extra={"ecs": fields})


def fields_of(line: Told) -> dict[str, object]:
    """Write an event in the names of the Elastic Common Schema."""
    category = next(
        (category for word, category in _CATEGORIES if line.action.startswith(word)),
        "configuration",
    )
    fields: dict[str, object] = {
        "@timestamp": datetime.fromtimestamp(line.at_us / 1e6, UTC).isoformat(
            timespec="milliseconds"
        ),
        "ecs.version": ECS_VERSION,
        "event.kind": "event",
        "event.dataset": "aerocast.audit",
        "event.category": [category],
        "event.type": ["start" if category == "authentication" else "change"],
        "event.action": line.action,
        "event.outcome": line.outcome,
        "event.sequence": line.number,
        "event.hash": line.hash.hex(),
        "user.name": line.actor,
        "aerocast.subject": line.subject,
    }
    if line.client is not None:
        fields["client.address"] = line.client
    return fields


class EcsLines(logging.Formatter):
    """An event as one line of JSON, in the name of a service."""

    def __init__(self, service: str = process.HUB) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Write an event."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {"@timestamp": at, "ecs.version": ECS_VERSION, "service.name": self._service}
        return json.dumps(told | getattr(record, "ecs", {"message": record.getMessage()}))


def also_write_to(path: Path, service: str = process.HUB) -> logging.Handler:
    """Write the events to a file too, readable by its owner; let go of with `removeHandler`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(EcsLines(service))
    _log.addHandler(handler)
    return handler
