"""The hub's counters, in Prometheus' text format at /metrics."""

from collections.abc import Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.openmetrics import exposition as openmetrics


def _exemplar(trace_id: str | None) -> dict[str, str] | None:
    return None if trace_id is None else {"trace_id": trace_id}


class Metrics:
    """Counters of one running hub. No label ever holds a passenger's or a bag's name."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory, processor time, open files
        self.messages = self._counter("inbox_messages", "Messages received over MQTT", "outcome")
        self.observations = self._counter("inbox_observations", "Observations received", "outcome")
        self.bag_messages = self._counter("bag_messages", "Baggage messages received", "outcome")
        self.bag_link_connected = Gauge(
            "aerocast_hub_bag_link_connected",
            "1 while the hub is logged in at a host of the baggage network",
            registry=self.registry,
        )
        self.bag_partners_connected = Gauge(
            "aerocast_hub_bag_partners_connected",
            "Partners logged in to receive and send baggage messages",
            registry=self.registry,
        )
        self.quarantined = self._counter("inbox_quarantined", "Put into quarantine", "part")
        self.transaction_seconds = Histogram(
            "aerocast_hub_inbox_transaction_seconds",
            "Time to store one transaction's worth of batches",
            registry=self.registry,
        )
        self.http_request_seconds = Histogram(
            "aerocast_hub_http_request_seconds",
            "Time from a request to the beginning of its answer",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.waiting_bytes = Gauge(
            "aerocast_hub_inbox_waiting_bytes",
            "Bytes received and not yet stored",
            registry=self.registry,
        )
        self.inbox_lag_seconds = Gauge(
            "aerocast_hub_inbox_lag_seconds",
            "How long the oldest message had waited when its turn came",
            registry=self.registry,
        )
        self.inbox_slows_down = Gauge(
            "aerocast_hub_inbox_slows_down",
            "1 while gateways are asked to slow down",
            registry=self.registry,
        )
        self.clock_claims_refused = Counter(
            "aerocast_hub_clock_claims_refused",
            "Times a gateway said of its clock what nobody can believe",
            registry=self.registry,
        )
        self.times_corrected = Counter(
            "aerocast_hub_times_corrected",
            "Stored observations put on a better clock",
            registry=self.registry,
        )
        self.gateway_observations = Gauge(
            "aerocast_hub_gateway_observations",
            "The loss account: observations of a gateway by what became of them",
            ["site", "gateway", "fate"],
            registry=self.registry,
        )
        device = ("site", "gateway", "device")
        self.device_up = self._gauge(
            "gateway_device_up", "1 while a device is connected and its gateway online", device
        )
        self.device_silent = self._gauge(
            "gateway_device_silent", "1 while a device is connected and silent too long", device
        )
        self.device_reads_per_second = self._gauge(
            "gateway_device_reads_per_second", "What a device sees, over ten seconds", device
        )
        self.device_reads = self._gauge(
            "gateway_device_reads", "What a device saw since its agent started", device
        )
        self.device_reconnects = self._gauge(
            "gateway_device_reconnects",
            "Times a device was lost and came back since its agent started",
            device,
        )
        self.device_last_seen_seconds = self._gauge(
            "gateway_device_last_seen_seconds",
            "How long ago a device saw something, when its gateway last told",
            device,
        )
        self.antenna_connected = self._gauge(
            "gateway_antenna_connected", "1 while an antenna is connected", (*device, "antenna")
        )
        self.broker_connected = Gauge(
            "aerocast_hub_broker_connected",
            "1 while the hub is connected to its MQTT broker",
            registry=self.registry,
        )
        self.broker_restarts = Counter(
            "aerocast_hub_broker_restarts",
            "Times the embedded broker was started again",
            registry=self.registry,
        )
        self.events_published = Counter(
            "aerocast_hub_events_published",
            "Events handed to subscribers",
            registry=self.registry,
        )
        self.events_announced = Counter(
            "aerocast_hub_events_announced",
            "Events confirmed by RabbitMQ's exchange",
            registry=self.registry,
        )
        self.subscribers_dropped = Counter(
            "aerocast_hub_subscribers_dropped",
            "Subscribers dropped for being too slow",
            registry=self.registry,
        )
        self.advice_given = self._counter("advice_given", "Advice given to passengers", "asked_by")
        self.service_questions = Counter(
            "aerocast_hub_service_questions",
            "Questions to the hub's other services: answered, failed, or not put to one left alone",
            ["service", "outcome"],
            registry=self.registry,
        )

    def observe_transaction(self, seconds: float, trace_id: str | None) -> None:
        """Count a transaction of the inbox; a trace's id leads from the chart to the trace."""
        self.transaction_seconds.observe(seconds, _exemplar(trace_id))

    def observe_request(
        self, method: str, route: str, status: int, seconds: float, trace_id: str | None
    ) -> None:
        """Count a request, by the route's pattern: what stood in its place is not told."""
        self.http_request_seconds.labels(method, route, str(status)).observe(
            seconds, _exemplar(trace_id)
        )

    def text(self) -> bytes:
        """Give everything in Prometheus' older text format."""
        return generate_latest(self.registry)

    def open_metrics(self) -> bytes:
        """Give everything as OpenMetrics 1.0, which carries exemplars."""
        written: bytes = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
        return written

    def _gauge(self, name: str, help_text: str, labels: Sequence[str]) -> Gauge:
        return Gauge(f"aerocast_hub_{name}", help_text, labels, registry=self.registry)

    def _counter(self, name: str, help_text: str, label: str) -> Counter:
        return Counter(f"aerocast_hub_{name}", help_text, [label], registry=self.registry)
