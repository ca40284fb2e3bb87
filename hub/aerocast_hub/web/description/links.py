"""Where answers lead: OpenAPI links from what was made or listed to what can be done with it.

They follow from the addresses. ``/api/webhooks`` holds what ``/api/webhooks/{webhook_id}`` names:
whatever answers at the first with a ``webhook_id`` or an ``id`` leads to the second and to all that
takes the same parameter; what answers at the second leads to all that lies beneath.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Place(NamedTuple):
    """An operation of the description."""

    method: str
    path: str
    told: dict[str, Any]

    @property
    def parameters(self) -> list[str]:
        """Give the names in its address, in order."""
        return [each[1:-1] for each in self.path.split("/") if each.startswith("{")]


def add_links(document: Mapping[str, Any]) -> None:
    """Add to every answer of a description where it leads; done again it changes nothing."""
    places = [
        Place(method, path, told)
        for path, ways in document["paths"].items()
        for method, told in ways.items()
    ]
    held = _held(places)
    schemas = document["components"]["schemas"]
    for place in places:
        for status, answer in place.told["responses"].items():
            # What is gone leads nowhere.
            if not status.startswith("2") or (place.method, status) == ("delete", "204"):
                continue
            known = dict(_known(place, answer, schemas, held))
            links = {
                target.told["operationId"]: {
                    "operationId": target.told["operationId"],
                    "parameters": {name: known[name] for name in target.parameters},
                }
                for target in places
                if target.told is not place.told and _leads(place, target, known, held)
            }
            if links:
                answer["links"] = links


def _held(places: list[Place]) -> dict[str, set[str]]:
    """Give for each parameter the addresses of what holds the things it names."""
    paths = {place.path for place in places}
    held: dict[str, set[str]] = {}
    for path in paths:
        parts = path.split("/")
        for position, part in enumerate(parts):
            if part.startswith("{"):
                holder = _before(parts[:position])
                if holder in paths:
                    held.setdefault(part[1:-1], set()).add(holder)
    return held


def _before(parts: list[str]) -> str:
    """Leave out the parameters at the end: a gateway's name is of its site, and both of a list."""
    while parts[-1].startswith("{"):
        parts = parts[:-1]
    return "/".join(parts)


def _leads(
    place: Place, target: Place, known: Mapping[str, str], held: Mapping[str, set[str]]
) -> bool:
    names = target.parameters
    if not names or not known.keys() >= set(names):
        return False
    if target.path.startswith(f"{place.path}/") or target.path == place.path:
        return True
    # Elsewhere only by names that mean one thing, and that the answer gives: not by the question's.
    return all(
        len(held.get(name, ())) == 1 and known[name].startswith("$response") for name in names
    )


def _known(
    place: Place,
    answer: Mapping[str, Any],
    schemas: Mapping[str, Any],
    held: Mapping[str, set[str]],
) -> Iterator[tuple[str, str]]:
    """Give what an answer, or the question, says of parameters, as runtime expressions."""
    for name in place.parameters:
        yield name, f"$request.path.{name}"
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    sent = place.told.get("requestBody", {}).get("content", {}).get("application/json", {})
    asked = _follow(sent.get("schema", {}), schemas).get("properties", {})
    for name, holders in held.items():
        if name in place.parameters or place.path not in holders:
            continue
        pointer = _pointer(schema, name, place.path.rpartition("/")[2], schemas)
        if pointer is not None:
            yield name, f"$response.body#{pointer}"
        elif place.method == "post" and name in asked:
            yield name, f"$request.body#/{name}"


def _pointer(
    schema: Mapping[str, Any], name: str, holder: str, schemas: Mapping[str, Any]
) -> str | None:
    """Find what an answer calls a thing: in itself, in its first item, or one step inside."""
    whole = _follow(schema, schemas)
    start = "/0" if whole.get("type") == "array" else ""
    item = _follow(whole.get("items", {}), schemas) if start else whole
    inside = item.get("properties", {})
    wanted = (name, "id") if name.endswith("_id") else (name,)
    for each in wanted:
        if each in inside:
            return f"{start}/{each}"
    for key, told in inside.items():
        deeper = _follow(told, schemas)
        is_list = deeper.get("type") == "array"
        if is_list and key != holder:
            continue
        found = _follow(deeper.get("items", {}), schemas) if is_list else deeper
        for each in wanted:
            if each in found.get("properties", {}):
                return f"{start}/{key}{'/0' if is_list else ''}/{each}"
    return None


def _follow(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema
