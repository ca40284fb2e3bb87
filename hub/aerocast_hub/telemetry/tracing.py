"""Traces: one thing that happened, followed from the antenna to the advice (OpenTelemetry).

A trace follows a batch of observations. Its ids come from the batch itself - the gateway, epoch,
lane and first sequence it carries - so gateways send nothing more for it, and a batch that waited
out a night offline is still one trace when it comes. Events carry the context on through the
outbox. Switched off, which is how a hub starts, nothing is kept and the library that keeps it is
never loaded: what remains is a look at a flag for each transaction and request.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from aerocast_hub.settings import SettingsError
from aerocast_hub.telemetry import process

TRACEPARENT = "traceparent"
"""The header of HTTP that carries a trace on (W3C Trace Context §3.2.1)."""
_W3C = TraceContextTextMapPropagator()
_CLOSE_WITHIN_S = 3.0


class _Tracers(NamedTuple):
    """Who keeps spans: of the hub's own work, and of what gateways did before they sent."""

    hub: trace.Tracer
    gateways: trace.Tracer


_tracers: _Tracers | None = None
_ids: ContextVar["BatchIds | None"] = ContextVar("trace_ids", default=None)


class BatchIds(NamedTuple):
    """Ids of a batch's trace and of its first span; the same whoever works them out."""

    trace_id: int
    span_id: int


def batch_ids(site: str, gateway: str, epoch: int, lane: int, first_sequence: int) -> BatchIds:
    """Work out a batch's ids from what makes it unique for ever (W3C Trace Context §2.2: not 0)."""
    identity = f"{site}/{gateway}/{epoch}/{lane}/{first_sequence}".encode()
    digest = hashlib.blake2b(identity, digest_size=24, person=b"aerocast trace 1").digest()
    return BatchIds(
        int.from_bytes(digest[:16], "big") or 1, int.from_bytes(digest[16:], "big") or 1
    )


def is_tracing() -> bool:
    """Say whether anybody keeps spans."""
    return _tracers is not None


@contextmanager
def tracing(url: str | None, sample: float, service: str = process.HUB) -> Iterator[None]:
    """Send spans to an OTLP receiver while the block runs; without ``url``, nothing.

    Parameters
    ----------
    url
        Of an OTLP/HTTP receiver, without ``/v1/traces``.
    sample
        How many traces of all are kept, 0 to 1. Chosen by the trace's id: all hubs keep the same.
    service
        What this process is called (`process.name_of`).

    Raises
    ------
    SettingsError
        The library is not installed.
    """
    global _tracers  # noqa: PLW0603  one process, one place spans go to
    if url is None:
        yield
        return
    try:
        from aerocast_hub.telemetry.spans_out import spans_out  # noqa: PLC0415  only when asked for
    except ImportError as error:
        raise SettingsError(
            f"otlp_endpoint needs {error.name}: install aerocast-hub[telemetry]"
        ) from error
    out = spans_out(f"{url.rstrip('/')}/v1/traces", sample, service, _ids.get)
    name, release = "aerocast_hub", process.VERSION
    _tracers = _Tracers(out.hub.get_tracer(name, release), out.gateways.get_tracer(name, release))
    try:
        yield
    finally:
        _tracers = None
        out.close(_CLOSE_WITHIN_S)


@contextmanager
def span(
    name: str,
    parents: Sequence[str | None] = (),
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    start_ns: int | None = None,
) -> Iterator[Span | None]:
    """Keep a span of the block, the current one for what it calls; None when nobody keeps spans.

    Parameters
    ----------
    parents
        ``traceparent`` texts: the first is the parent, the others are linked. Without any, the
        current span is the parent.
    start_ns
        UTC nanoseconds; None is now.
    """
    if _tracers is None:
        yield None
        return
    contexts = [context for each in parents if each and (context := _read(each)) is not None]
    parent = trace.set_span_in_context(NonRecordingSpan(contexts[0])) if contexts else None
    with _tracers.hub.start_as_current_span(
        name,
        context=parent,
        kind=kind,
        start_time=start_ns,
        links=[Link(each) for each in contexts[1:]],
    ) as kept:
        yield kept


def gateway_span(
    ids: BatchIds, name: str, start_ns: int, end_ns: int, **attributes: str | int
) -> str:
    """Keep the first span of a batch's trace: what its gateway did, told by the batch itself.

    Returns
    -------
    str
        Its ``traceparent``, for what follows from it.
    """
    if _tracers is not None:
        token = _ids.set(ids)
        try:
            kept = _tracers.gateways.start_span(
                name, context=Context(), kind=SpanKind.PRODUCER, start_time=start_ns
            )
        finally:
            _ids.reset(token)
        kept.set_attributes({f"aerocast.{key}": value for key, value in attributes.items()})
        kept.end(end_ns)
        context = kept.get_span_context()
        return _text(context)
    return _text(SpanContext(ids.trace_id, ids.span_id, is_remote=True))


def finished_span(name: str, parent: str, start_ns: int, end_ns: int) -> None:
    """Keep a span of something that is over, under a ``traceparent``."""
    context = _read(parent)
    if _tracers is not None and context is not None:
        _tracers.hub.start_span(
            name,
            context=trace.set_span_in_context(NonRecordingSpan(context)),
            kind=SpanKind.CONSUMER,
            start_time=start_ns,
        ).end(end_ns)


def current_traceparent() -> str | None:
    """Give the current span as W3C ``traceparent`` text; None when it is kept by nobody."""
    if _tracers is None:
        return None
    context = trace.get_current_span().get_span_context()
    return _text(context) if context.is_valid and context.trace_flags.sampled else None


def traceparent_for_others() -> str | None:
    """Give the current span to another process, whether it is kept or not: that one does alike."""
    context = trace.get_current_span().get_span_context()
    return _text(context) if _tracers is not None and context.is_valid else None


def current_trace_id() -> str | None:
    """Give the current trace's id, 32 hexadecimal digits; None when it is kept by nobody."""
    text = current_traceparent()
    return None if text is None else text[3:35]


def _text(context: SpanContext) -> str:
    flags = TraceFlags.SAMPLED if context.trace_flags.sampled else TraceFlags.DEFAULT
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"


def _read(traceparent: str) -> SpanContext | None:
    context = trace.get_current_span(
        _W3C.extract({TRACEPARENT: traceparent}, Context())
    ).get_span_context()
    return context if context.is_valid else None
