"""What brokers ask the hub: who a client is, and whether it may do what it wants to.

One pair of questions for EMQX (HTTP authentication and authorization), RabbitMQ
(``rabbitmq_auth_backend_http``) and mosquitto-go-auth (``http``, JSON both ways). Who asks with a
form is answered ``allow`` or ``deny`` (RabbitMQ), who asks in JSON with what the other two read.
"""

import hmac
import json
import time
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import parse_qsl

import msgspec
from litestar import Controller, MediaType, Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException, ValidationException
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)

from aerocast_hub.auth.caller import client_of
from aerocast_hub.client_address import TOLD_BY_PROXIES, is_trusted, read_networks
from aerocast_hub.database.engine import Database
from aerocast_hub.enrolment.broker_access import Resource, may, may_use
from aerocast_hub.enrolment.certificates import HUB, parse_common_name
from aerocast_hub.enrolment.store import is_good
from aerocast_hub.settings import Settings

LONGEST_QUESTION = 4096
_READS, _WRITES, _SUBSCRIBES = {"1", "read", "subscribe"}, {"2", "write", "publish"}, {"4"}

Question = dict[str, str]


class BrokerVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in JSON: ``result`` and ``is_superuser`` are EMQX's, the rest Mosquitto's."""

    result: Literal["allow", "deny"]
    is_superuser: bool = False
    is_allowed: bool = msgspec.field(name="Ok")
    error: str = msgspec.field(name="Error")


@dataclass
class _AsksEitherWay(Operation):
    """Says in the API's description that brokers ask by form or in JSON, and are so answered."""

    def __post_init__(self) -> None:
        values = OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT))
        self.request_body = RequestBody(
            content={"application/x-www-form-urlencoded": values, "application/json": values},
        )
        answer = (self.responses or {}).get("200")
        if isinstance(answer, OpenAPIResponse) and answer.content is not None:
            word = Schema(type=OpenAPIType.STRING, enum=["allow", "deny"])
            answer.content["text/plain"] = OpenAPIMediaType(schema=word)


class HookController(Controller):
    """Answers to brokers."""

    path = "/mqtt"
    tags = ("Gateways",)
    opt = {"public": True, "errors": {403: "Only brokers may ask."}}  # noqa: RUF012  Litestar's way

    @post("/auth", operation_id="BrokerAuth", status_code=200, operation_class=_AsksEitherWay)
    async def authenticate(
        self,
        request: Request[Any, Any, State],
        settings: NamedDependency[Settings],
        database: NamedDependency[Database],
    ) -> Response[BrokerVerdict]:
        """Say whether a client may connect: a gateway with a good certificate, or a hub.

        The broker has seen the certificate: RabbitMQ then asks with its common name as ``username``
        and no password, EMQX gives it as ``cert_common_name``. Nobody gets in by password.
        """
        question = await _question(request, settings)
        name = question.get("username", "")
        is_json = _is_json(request)
        certified = (
            question.get("cert_common_name") == name if is_json else "password" not in question
        )
        return _answer(is_json, certified and await _is_known(name, database))

    @post("/acl", operation_id="BrokerAcl", status_code=200, operation_class=_AsksEitherWay)
    async def authorize(
        self,
        request: Request[Any, Any, State],
        settings: NamedDependency[Settings],
        database: NamedDependency[Database],
    ) -> Response[BrokerVerdict]:
        """Say whether a client may publish, subscribe, or use a queue of RabbitMQ's."""
        question = await _question(request, settings)
        name = question.get("username", "")
        allowed = _may(name, question) and await _is_known(name, database)
        return _answer(_is_json(request), allowed)


def _may(name: str, question: Question) -> bool:
    if "resource" in question:
        resource = Resource(
            question["resource"], question.get("name", ""), question.get("permission", "")
        )
        return may_use(name, resource, question.get("routing_key"))
    topic = question.get("topic", "")
    wish = question.get("action") or question.get("acc", "")
    if wish in _WRITES:
        return may(name, "publish", topic)
    return wish in _READS | _SUBSCRIBES and may(name, "subscribe", topic)


async def _is_known(name: str, database: Database) -> bool:
    if name == HUB:
        return True
    who = parse_common_name(name)
    if who is None:
        return False
    async with database.reading() as session:
        return await is_good(session, who, time.time_ns() // 1000)


async def _question(request: Request[Any, Any, State], settings: Settings) -> Question:
    """Read what a broker asks, if it is one of ours that asks.

    Raises
    ------
    PermissionDeniedException
        Whoever asks has neither the secret nor a trusted address.
    ValidationException
        It cannot be read.
    """
    _check_asker(request, settings)
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_QUESTION:
            raise ValidationException(f"a question has at most {LONGEST_QUESTION} bytes")
    try:
        if _is_json(request):
            told = json.loads(body)
            if not isinstance(told, dict):
                raise ValidationException("a question in JSON is an object")
            return {str(key): str(value) for key, value in told.items() if value is not None}
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=32))
    except (ValueError, RecursionError) as error:
        raise ValidationException("a question is a form or a JSON object") from error


def _check_asker(request: Request[Any, Any, State], settings: Settings) -> None:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    secret = settings.broker_hook_secret
    if secret is not None and hmac.compare_digest(
        given.encode(), secret.get_secret_value().encode()
    ):
        return
    # What came through a proxy has the proxy's address: it says nothing of who asks.
    proxied = TOLD_BY_PROXIES & set(request.headers)
    networks = read_networks(settings.broker_hook_networks)
    if proxied or not is_trusted(client_of(request), networks):
        raise PermissionDeniedException("brokers only")


def _is_json(request: Request[Any, Any, State]) -> bool:
    return request.headers.get("content-type", "").startswith("application/json")


def _answer(is_json: bool, allowed: bool) -> Response[BrokerVerdict]:  # noqa: FBT001  two words of one answer
    word: Literal["allow", "deny"] = "allow" if allowed else "deny"
    if not is_json:
        return Response(cast("BrokerVerdict", word), media_type=MediaType.TEXT)
    error = "" if allowed else "denied"
    return Response(
        BrokerVerdict(result=word, is_allowed=allowed, error=error), media_type=MediaType.JSON
    )
