"""Asking another service: bounded in time, tried again, and given up for a while when it is away.

Questions change nothing, so each may be asked again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import httpx
import msgspec
from opentelemetry.trace import SpanKind, StatusCode

from aerocast_hub.asking.breaker import Breaker
from aerocast_hub.asking.tokens import HEADER, VALID_S, Asker, asking_key, make_token
from aerocast_hub.database.sight import current_sight
from aerocast_hub.outgoing_tls import believed
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.telemetry.tracing import TRACEPARENT, span, traceparent_for_others

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 2.0
CONNECT_WITHIN_S = 0.5
TIMES = 3
PAUSE_S = 0.1
LARGEST_ANSWER = 4 * 1024 * 1024
_AWAY = frozenset({502, 503, 504})

Answer = TypeVar("Answer")


class ServiceAwayError(Exception):
    """Another service of the hub does not answer; the message names it."""


class ServiceClient:
    """Asks one service.

    Parameters
    ----------
    name, url
        The service, and where it is: ``http://baggage:8002``.
    me
        This service's name.
    signing_key
        Gives the hub's secret key, which both share.
    metrics
        Counts questions by what came of them.
    """

    def __init__(
        self, name: str, url: str, me: str, signing_key: Callable[[], str], metrics: Metrics
    ) -> None:
        self._name = name
        self._me = me
        self._signing_key = signing_key
        self._key: bytes | None = None
        self._breaker = Breaker()
        self._count = metrics.service_questions
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(ANSWER_WITHIN_S, connect=CONNECT_WITHIN_S),
            follow_redirects=False,
            trust_env=False,
            verify=believed(),
        )

    async def ask(self, path: str, question: Mapping[str, object], answer: type[Answer]) -> Answer:
        """Put a question, as JSON, and read the answer; the trace goes on where it is answered.

        Raises
        ------
        ServiceAwayError
            It does not answer, or answers what is none.
        """
        with span(f"ask {self._name} {path}", kind=SpanKind.CLIENT) as kept:
            try:
                return await self._ask(path, question, answer)
            except ServiceAwayError as error:
                if kept is not None:
                    kept.set_status(StatusCode.ERROR, str(error))
                raise

    async def _ask(self, path: str, question: Mapping[str, object], answer: type[Answer]) -> Answer:
        for number in range(TIMES):
            if not self._breaker.may_ask(time.monotonic()):
                self._count.labels(self._name, "left_alone").inc()
                break
            try:
                answered = await self._client.post(
                    path, content=msgspec.json.encode(question), headers=self._headers()
                )
            except httpx.TransportError as error:
                log.info("%s does not answer: %r", self._name, error)
            else:
                if answered.status_code not in _AWAY:
                    self._breaker.succeeded()
                    self._count.labels(self._name, "answered").inc()
                    return self._read(answered, answer)
            self._breaker.failed(time.monotonic())
            self._count.labels(self._name, "failed").inc()
            await asyncio.sleep(random.uniform(0, PAUSE_S * 2**number))  # noqa: S311  spreads, hides nothing
        raise ServiceAwayError(f"the {self._name} service does not answer")

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _headers(self) -> dict[str, str]:
        if self._key is None:
            self._key = asking_key(self._signing_key())
        sight = current_sight()
        asker = Asker(
            service=self._me,
            expires_at_s=int(time.time()) + VALID_S,
            airlines=None if sight.airlines is None else tuple(sorted(sight.airlines)),
            stations=None if sight.stations is None else tuple(sorted(sight.stations)),
        )
        headers = {HEADER: make_token(self._key, asker), "content-type": "application/json"}
        traceparent = traceparent_for_others()
        return headers if traceparent is None else headers | {TRACEPARENT: traceparent}

    def _read(self, answered: httpx.Response, answer: type[Answer]) -> Answer:
        if not answered.is_success or len(answered.content) > LARGEST_ANSWER:
            raise ServiceAwayError(f"the {self._name} service answers {answered.status_code}")
        try:
            return msgspec.json.decode(answered.content, type=answer)
        except msgspec.MsgspecError as error:
            raise ServiceAwayError(f"the {self._name} service answers {error}") from error
