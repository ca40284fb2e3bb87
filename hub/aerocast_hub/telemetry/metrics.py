"""The hub's counters, in Prometheus' text format at /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """Counters of one running hub. No label ever holds a passenger's or a bag's name."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.messages = self._counter("inbox_messages", "Messages received over MQTT", "outcome")
        self.observations = self._counter("inbox_observations", "Observations received", "outcome")
        self.quarantined = self._counter("inbox_quarantined", "Put into quarantine", "part")
        self.transaction_seconds = Histogram(
            "aerocast_hub_inbox_transaction_seconds",
            "Time to store one transaction's worth of batches",
            registry=self.registry,
        )
        self.waiting_bytes = Gauge(
            "aerocast_hub_inbox_waiting_bytes",
            "Bytes received and not yet stored",
            registry=self.registry,
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
        self.subscribers_dropped = Counter(
            "aerocast_hub_subscribers_dropped",
            "Subscribers dropped for being too slow",
            registry=self.registry,
        )
        self.advice_given = self._counter("advice_given", "Advice given to passengers", "asked_by")

    def text(self) -> bytes:
        """Give everything as Prometheus reads it."""
        return generate_latest(self.registry)

    def _counter(self, name: str, help_text: str, label: str) -> Counter:
        return Counter(f"aerocast_hub_{name}", help_text, [label], registry=self.registry)
