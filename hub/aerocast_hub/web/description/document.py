"""The API's description, completed at one place: who may ask, which errors come, where it leads."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import OpenAPI
from litestar.plugins.base import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

from aerocast_hub.web.description.errors import (
    errors_of,
    problem_schemas,
    responses_of,
    shared_responses,
)
from aerocast_hub.web.description.links import add_links
from aerocast_hub.web.problems import Problem

WAYS_IN = ("bearer", "key")


class Handlers(ReceiveRoutePlugin):
    """Every handler of an application by where it answers; completes what is said of them."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, str], HTTPRouteHandler] = {}

    def receive_route(self, route: BaseRoute) -> None:
        """Hear of a route."""
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                self._by_place[route.path_format or "/", method.lower()] = handler

    def complete(self, document: dict[str, Any]) -> None:
        """Say of every operation who may ask it, which errors it answers, and where it leads."""
        problems: dict[type[msgspec.Struct], None] = {Problem: None}
        for path, ways in document["paths"].items():
            for method, operation in ways.items():
                handler = self._by_place[path, method]
                is_public = handler.opt.get("public") is True
                operation["security"] = _security(handler)
                problem = handler.opt.get("problem", Problem)
                problems[problem] = None
                own = _own_errors(handler)
                errors = errors_of(method, path, operation, is_public=is_public, own=own)
                operation["responses"] = {
                    status: answer
                    for status, answer in operation["responses"].items()
                    if status < "400"
                } | responses_of(errors, problem)
                operation["responses"].get("204", {}).pop("content", None)
        components = document["components"]
        components["schemas"] = dict(
            sorted((components["schemas"] | problem_schemas(iter(problems))).items())
        )
        components["responses"] = shared_responses(iter(problems))
        bound_tuples(components["schemas"])
        add_links(document)


@dataclass
class Description(OpenAPIConfig):
    """How an application's API is described."""

    handlers: Handlers = field(default_factory=Handlers)

    def to_openapi_schema(self) -> OpenAPI:
        """Begin the description; Litestar fills in the paths."""
        begun = super().to_openapi_schema()
        parts = {each.name: getattr(begun, each.name) for each in fields(begun)}
        return _Completed(**parts, complete=self.handlers.complete)


@dataclass
class _Completed(OpenAPI):
    complete: Callable[[dict[str, Any]], None] = field(kw_only=True)

    @property
    def _exclude_fields(self) -> set[str]:
        return {"complete"}

    def to_schema(self) -> dict[str, Any]:
        document = super().to_schema()
        self.complete(document)
        return document


def bound_tuples(told: object) -> None:
    """Say of every tuple how long it is; Litestar says only what stands where."""
    if isinstance(told, list):
        for each in told:
            bound_tuples(each)
    elif isinstance(told, dict):
        for each in told.values():
            bound_tuples(each)
        kinds = told.get("prefixItems")
        if isinstance(kinds, list):
            told |= {"minItems": len(kinds), "maxItems": len(kinds)}
            if all(each == kinds[0] for each in kinds):
                told["items"] = told.pop("prefixItems")[0]


def _security(handler: HTTPRouteHandler) -> list[dict[str, list[str]]]:
    """Say who may ask: anybody, or with which permission (OpenAPI 3.1: a role's name)."""
    if handler.opt.get("public") is True:
        return [{}]
    permission = handler.opt.get("permission")
    return [{way: [permission] if isinstance(permission, str) else []} for way in WAYS_IN]


def _own_errors(handler: HTTPRouteHandler) -> dict[int, str]:
    """Give what a handler and what it stands in say themselves, the innermost last."""
    return {
        status: text
        for layer in handler.ownership_layers
        for status, text in (getattr(layer, "opt", None) or {}).get("errors", {}).items()
    }
