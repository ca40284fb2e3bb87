"""Where spans go when somebody wants them: an OTLP/HTTP receiver. Loaded only then."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from aerocast_hub.telemetry import process

if TYPE_CHECKING:
    from aerocast_hub.telemetry.tracing import BatchIds

log = logging.getLogger(__name__)

_LIBRARY = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
_LONGEST_REASON = 300
_QUEUE = 8192  # spans; a receiver that is down costs the oldest of them and nothing else
_EXPORT_EVERY_MS = 1_000
_EXPORT_TIMEOUT_S = 5
_GIVE_UP_WITHIN_S = 0.5


class _Ids(RandomIdGenerator):
    """Random ids, but for a span whose ids its batch gives."""

    def __init__(self, given: "Callable[[], BatchIds | None]") -> None:
        self._given = given

    def generate_trace_id(self) -> int:
        given = self._given()
        return super().generate_trace_id() if given is None else given.trace_id

    def generate_span_id(self) -> int:
        given = self._given()
        return super().generate_span_id() if given is None else given.span_id


class _Reception:
    """Whether the receiver takes spans: a word when that changes, and not for each try.

    The library has an error to tell once a second while a receiver is away, and a warning before
    each of its repetitions: what it says is the reason, and goes no further.
    """

    def __init__(self) -> None:
        self.is_away = False
        self.is_closing = False
        self.is_over = False
        self._reason = ""
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep why it failed first; let nothing through."""
        self._reason = self._reason or record.getMessage()[:_LONGEST_REASON]
        return False

    def note(self, *, is_taken: bool) -> None:
        """Note how a try ended; nobody is told of those that outlive the end."""
        with self._lock:
            if self.is_over:
                return
            if self.is_away and is_taken:
                log.info("traces are taken again")
            elif not self.is_away and not is_taken:
                log.warning("traces are lost until their receiver takes them: %s", self._reason)
            self.is_away, self._reason = not is_taken, ""


class _Telling(SpanExporter):
    """Sends spans, and notes whether they are taken."""

    def __init__(self, url: str, reception: _Reception) -> None:
        self._exporter = OTLPSpanExporter(endpoint=url, timeout=_EXPORT_TIMEOUT_S)
        self._reception = reception

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; at the end, none to a receiver that is away."""
        if self._reception.is_closing and self._reception.is_away:
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        self._reception.note(is_taken=result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        """Send no more, nor wait to try again."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # the library's


class SpansOut(NamedTuple):
    """What keeps this process's spans, and what keeps those told for gateways."""

    hub: TracerProvider
    gateways: TracerProvider
    exporters: Sequence[SpanExporter]
    reception: _Reception

    def close(self, within_s: float) -> None:
        """Send what is left, as far as that goes in time: the library itself knows no such end."""
        self.reception.is_closing = True
        closing = threading.Thread(target=self._close, name="last spans", daemon=True)
        closing.start()
        closing.join(within_s)
        if closing.is_alive():
            log.info("traces of the last moments are lost: their receiver takes too long")
            self.reception.is_over = True
            for exporter in self.exporters:  # else it waits on for its next try
                exporter.shutdown()
            closing.join(_GIVE_UP_WITHIN_S)

    def _close(self) -> None:
        for provider in (self.hub, self.gateways):
            provider.shutdown()
        _LIBRARY.removeFilter(self.reception)


def spans_out(
    url: str, sample: float, service: str, given: "Callable[[], BatchIds | None]"
) -> SpansOut:
    """Prepare what keeps spans.

    Which version a gateway runs its batches do not say; which gateway it is each span does.
    """
    sampler = ParentBased(TraceIdRatioBased(sample))
    reception = _Reception()
    _LIBRARY.addFilter(reception)
    made, exporters = [], []
    of_ours = {
        "service.name": service,
        "service.version": process.VERSION,
        "service.instance.id": process.INSTANCE,
    }
    for named in (of_ours, {"service.name": process.AGENT}):
        resource = Resource.create({"service.namespace": process.NAMESPACE, **named})
        provider = TracerProvider(
            sampler=sampler,
            resource=resource,
            id_generator=_Ids(given),
            shutdown_on_exit=False,  # it may wait for half a minute
        )
        exporters.append(_Telling(url, reception))
        provider.add_span_processor(
            BatchSpanProcessor(
                exporters[-1],
                max_queue_size=_QUEUE,
                schedule_delay_millis=_EXPORT_EVERY_MS,
            )
        )
        made.append(provider)
    return SpansOut(made[0], made[1], exporters, reception)
