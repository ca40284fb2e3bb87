"""Where spans go when somebody wants them: an OTLP/HTTP receiver. Loaded only then."""

from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

if TYPE_CHECKING:
    from aerocast_hub.telemetry.tracing import BatchIds

_QUEUE = 8192  # spans; a receiver that is down costs the oldest of them and nothing else
_EXPORT_EVERY_MS = 1_000
_EXPORT_TIMEOUT_S = 5


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


def providers(
    url: str, sample: float, given: "Callable[[], BatchIds | None]"
) -> tuple[TracerProvider, TracerProvider]:
    """Prepare what keeps the hub's spans, and what keeps those told for gateways."""
    sampler = ParentBased(TraceIdRatioBased(sample))
    made = []
    for service in ("aerocast-hub", "aerocast-agent"):
        resource = Resource.create(
            {"service.name": service, "service.version": version("aerocast-hub")}
        )
        provider = TracerProvider(sampler=sampler, resource=resource, id_generator=_Ids(given))
        provider.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(endpoint=url, timeout=_EXPORT_TIMEOUT_S),
                max_queue_size=_QUEUE,
                schedule_delay_millis=_EXPORT_EVERY_MS,
            )
        )
        made.append(provider)
    return made[0], made[1]
