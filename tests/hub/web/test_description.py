"""What the API's description says of errors, of who may ask, and of where answers lead."""

import json
from pathlib import Path

import httpx
import jsonschema_rs
import pytest
from aerocast_hub.app import create_app
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.web.description.document import bound_tuples
from aerocast_hub.web.description.errors import UNSAFE, errors_of
from aerocast_hub.web.description.links import add_links
from litestar.enums import HttpMethod
from litestar.routes import HTTPRoute

DOCUMENT = json.loads((Path(__file__).parents[3] / "hub" / "openapi.json").read_text())
OPERATIONS = [
    (method, path, operation)
    for path, ways in DOCUMENT["paths"].items()
    for method, operation in ways.items()
]
PROBLEM = "#/components/schemas/Problem"
EPCIS_PROBLEM = "#/components/schemas/EpcisProblem"


def followed(told):
    while "$ref" in told:
        found = DOCUMENT
        for part in told["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        told = found
    return told


def errors(operation):
    for status, answer in operation["responses"].items():
        if status >= "400":
            yield int(status), followed(answer)


def test_every_error_is_a_problem_of_the_kind_its_operation_answers():
    seen = 0
    for _, path, operation in OPERATIONS:
        wanted = EPCIS_PROBLEM if path.startswith("/epcis/") else PROBLEM
        for status, answer in errors(operation):
            assert answer["content"].keys() == {"application/problem+json"}
            told = answer["content"]["application/problem+json"]
            assert told["schema"] == {"$ref": wanted}
            assert told.get("example", {}).get("status", status) == status
            assert answer["description"]
            seen += 1
    assert seen > 800


def test_who_must_wait_or_log_in_is_told_how_long_and_by_which_scheme():
    for _, _, operation in OPERATIONS:
        told = dict(errors(operation))
        assert told[429]["headers"]["Retry-After"]["required"]
        assert told[503]["headers"]["Retry-After"]["required"]
        assert 401 not in told or told[401]["headers"]["WWW-Authenticate"]["required"]


def test_security_is_what_the_guard_asks():
    app = create_app(load_settings(mode="dev", database_url="sqlite+aiosqlite://"), list(SERVICES))
    by_place = {
        (method.lower(), route.path_format or "/"): handler.opt
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
    }
    public = 0
    for method, path, operation in OPERATIONS:
        opt = by_place[method, path]
        if opt.get("public") is True:
            assert operation["security"] == [{}]
            public += 1
        else:
            asked = [opt["permission"]]
            assert operation["security"] == [{"bearer": asked}, {"key": asked}]
            assert {401, 403} <= dict(errors(operation)).keys()
    assert 15 < public < len(OPERATIONS) / 4


def test_what_an_operation_takes_it_can_refuse():
    for method, path, operation in OPERATIONS:
        wanted = {429, 500, 503}
        wanted |= {400, 408, 413} if "requestBody" in operation else set()
        wanted |= {400} if operation.get("parameters") else set()
        wanted |= {404} if "{" in path else set()
        wanted |= {403} if method in UNSAFE else set()
        told = dict(errors(operation)).keys()
        assert wanted <= told, (method, path)
        assert 405 not in told
        assert told <= {*range(400, 500), 500, 501, 503}


def test_what_a_handler_says_itself_goes_before_what_follows_from_its_kind():
    told = errors_of(
        "post", "/things", {"requestBody": {}}, is_public=True, own={403: "not you", 409: "twice"}
    )
    assert told[403] == "not you"
    assert told[409] == "twice"
    assert sorted(told) == list(told)
    assert 401 not in told


def test_every_form_is_one_of_json_schema():
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        ), name


def test_a_tuple_has_a_length():
    told = {"a": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}]}}
    bound_tuples(told)
    pair = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
    assert told == {"a": pair}
    mixed = {"prefixItems": [{"type": "integer"}, {"type": "string"}]}
    bound_tuples([mixed])
    assert mixed["maxItems"] == mixed["minItems"] == len(mixed["prefixItems"])


def links():
    for method, path, operation in OPERATIONS:
        for answer in operation["responses"].values():
            for name, link in answer.get("links", {}).items():
                yield method, path, operation, name, link


BY_NAME = {operation["operationId"]: (path, operation) for _, path, operation in OPERATIONS}


def test_every_link_leads_to_an_operation_and_gives_all_its_address_asks():
    seen = 0
    for _, _, operation, name, link in links():
        path, target = BY_NAME[link["operationId"]]
        assert name == target["operationId"] != operation["operationId"]
        asked = {each["name"] for each in target["parameters"] if each["in"] == "path"}
        assert link["parameters"].keys() == asked
        assert all("{" + each + "}" in path for each in asked)
        seen += 1
    assert seen > 120


@pytest.mark.parametrize(
    ("source", "target", "parameters"),
    [
        ("AddWebhook", "RemoveWebhook", {"webhook_id": "$response.body#/webhook/id"}),
        ("ListAlerts", "AcknowledgeAlert", {"alert_id": "$response.body#/0/id"}),
        (
            "MakeKey",
            "RevokeKey",
            {"prefix": "$response.body#/details/prefix", "user_id": "$request.path.user_id"},
        ),
        (
            "AddGateway",
            "ClaimGateway",
            {"name": "$response.body#/name", "site": "$response.body#/site"},
        ),
        ("ListFlights", "GetFlightGuidance", {"flight_id": "$response.body#/0/id"}),
        ("GetJourney", "GetBagHistory", {"licence_plate": "$request.path.licence_plate"}),
        ("AddEpcisQuery", "RunEpcisQuery", {"name": "$request.body#/name"}),
        ("ListPlaceMaps", "GetBoards", {"airport": "$response.body#/0/airport"}),
    ],
)
def test_what_is_made_or_listed_leads_to_what_can_be_done_with_it(source, target, parameters):
    found = {
        name: link["parameters"]
        for _, _, operation, name, link in links()
        if operation["operationId"] == source
    }
    assert found[target] == parameters


def test_names_that_mean_several_things_lead_only_beneath_what_gave_them():
    wrong = [
        (path, name)
        for _, path, _, name, link in links()
        if "name" in link["parameters"] and not BY_NAME[name][0].startswith(path.rsplit("/{")[0])
    ]
    assert wrong == []


def test_what_is_gone_leads_nowhere():
    gone = [operation for method, _, operation in OPERATIONS if method == "delete"]
    assert [each for each in gone if each["responses"].get("204", {}).get("links")] == []


def test_links_added_twice_are_the_same():
    again = json.loads(json.dumps(DOCUMENT))
    add_links(again)
    assert again == DOCUMENT


async def test_options_names_every_method_of_an_address(tmp_path):
    app = create_app(
        load_settings(
            mode="dev", database_url="sqlite+aiosqlite://", data_dir=tmp_path, broker_url="none:"
        ),
        list(SERVICES),
    )
    # No lifespan: nobody is asked to come in, so no database either.
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")
    for path, wanted in (
        ("/health", "GET, OPTIONS"),
        ("/api/boards/TLS/belts", "GET, OPTIONS"),
        ("/login", "GET, OPTIONS, POST"),
    ):
        answer = await client.options(path)
        assert (answer.status_code, answer.headers["allow"]) == (204, wanted)
    assert (await client.options("/api/flights")).status_code == 401
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            told = route.route_handler_map[HttpMethod.OPTIONS][0].fn(None).headers["Allow"]
            assert told == ", ".join(sorted(route.route_handler_map)), route.path
    await client.aclose()
    await app.state.hub.database.close()
