"""Logs: one JSON object a line in the Elastic Common Schema, or text for people."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

from aerocast_hub.telemetry import process
from aerocast_hub.telemetry.tracing import current_traceparent

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_ECS_VERSION = "8.17.0"


class _EcsLines(logging.Formatter):
    """A record as one line of JSON; field names of the Elastic Common Schema 8.17.

    A record may bring fields of its own: ``extra={"ecs": {"event.action": "login"}}``.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = {
            "service.name": service,
            "service.version": process.VERSION,
            "service.node.name": process.INSTANCE,
        }

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "@timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "log.level": record.levelname.lower(),
            "message": record.getMessage(),
            "ecs.version": _ECS_VERSION,
            "log.logger": record.name,
            **self._service,
        }
        if (traceparent := current_traceparent()) is not None:
            _, line["trace.id"], line["span.id"], _ = traceparent.split("-")
        if record.exc_info and (kind := record.exc_info[0]) is not None:
            line["error.type"] = kind.__name__
            line["error.message"] = str(record.exc_info[1])
            line["error.stack_trace"] = self.formatException(record.exc_info)
        own = getattr(record, "ecs", None)
        if isinstance(own, dict):
            line |= own
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logs(
    log_format: Literal["json", "text"],
    level: int = logging.INFO,
    *,
    to: Literal["stderr", "stdout"] = "stderr",
    service: str = process.HUB,
) -> None:
    """Send every log to one place in one form, in the name of a service (`process.name_of`)."""
    handler = logging.StreamHandler(sys.stderr if to == "stderr" else sys.stdout)
    handler.setFormatter(_EcsLines(service) if log_format == "json" else logging.Formatter(_TEXT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("alembic", "aiosqlite", "sqlalchemy", "urllib3", "opentelemetry"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # An error for each try while RabbitMQ is away, some with a traceback: who tries tells it.
    for clamorous in ("aiormq", "aio_pika"):
        logging.getLogger(clamorous).setLevel(logging.CRITICAL)
