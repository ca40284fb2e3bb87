"""A transaction of the inbox as spans: what gateways did, the way here, the storing."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from opentelemetry.trace import SpanKind

from aerocast_hub.inbox.transaction import Seen
from aerocast_hub.inbox.unpack import Batch
from aerocast_hub.telemetry.tracing import (
    batch_ids,
    current_trace_id,
    finished_span,
    gateway_span,
    is_tracing,
    span,
)

_NETWORK_TIME = 3  # a clock good enough to measure the way from there to here


class TransactionTrace:
    """The span of one transaction, current from `begin` until after its commit.

    Attributes
    ----------
    trace_id
        Of the trace it belongs to; None when nobody keeps it.
    """

    def __init__(self) -> None:
        self._started_ns = time.time_ns()
        self._stack = ExitStack()
        self._has_begun = False
        self.trace_id: str | None = None

    def __enter__(self) -> Self:
        """Note when it started; who it belongs to shows once its messages are read."""
        return self

    def begin(self, seen: Sequence[Seen]) -> None:
        """Tell where the new observations come from, and open the span of storing them.

        A transaction that is repeated begins once.
        """
        if not is_tracing() or not seen or self._has_begun:
            return
        self._has_begun = True
        parents = [_tell(each) for each in _by_batch(seen)]
        kept = self._stack.enter_context(
            span("store batches", parents, kind=SpanKind.CONSUMER, start_ns=self._started_ns)
        )
        self.trace_id = current_trace_id()
        if kept is not None:
            kept.set_attributes(
                {"messaging.batch.message_count": len(parents), "aerocast.observations": len(seen)}
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)


def _by_batch(seen: Sequence[Seen]) -> Iterator[tuple[Batch, int]]:
    """Give each batch with the earliest moment at which something in it was seen, boot clock."""
    earliest: dict[int, tuple[Batch, int]] = {}
    for each in seen:
        boot_ns = each.observation.boot_ns
        known = earliest.get(id(each.batch))
        if known is None or boot_ns < known[1]:
            earliest[id(each.batch)] = (each.batch, boot_ns)
    yield from earliest.values()


def _tell(found: tuple[Batch, int]) -> str:
    """Keep what a gateway did: from the first thing seen to sending it. Gives the traceparent.

    How long that took its own clock knows, whatever time it believes it is. When it was sent is
    its word if it knows the time, and otherwise when it came.
    """
    batch, seen_boot_ns = found
    envelope, body = batch.envelope, batch.body
    received_ns = batch.message.received_at_us * 1000
    knows_time = envelope.clock_quality >= _NETWORK_TIME
    sent_ns = min(envelope.wall_ns_sent, received_ns) if knows_time else received_ns
    held_ns = 0
    if body.boot_id == envelope.boot_id_sent:
        held_ns = max(0, envelope.boot_ns_sent - seen_boot_ns)
    parent = gateway_span(
        batch_ids(batch.site, batch.gateway, body.epoch, body.lane, body.first_sequence),
        "see and hold",
        sent_ns - held_ns,
        sent_ns,
        site=batch.site,
        gateway=batch.gateway,
        lane=body.lane,
        observations=body.count,
    )
    if knows_time:
        finished_span("cross the network", parent, sent_ns, received_ns)
    return parent
