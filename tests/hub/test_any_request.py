"""Any request its own description allows, and many it does not: the hub never fails inside.

Every operation of every service, by an administrator; and what is answered is as described.
"""

import json
import os
import time
import warnings

import httpx
import pytest
import schemathesis
from aerocast_hub.auth.permissions import EVERYTHING
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.commands.openapi import description
from aerocast_hub.settings import SERVICES
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.hub.browser.conftest import NAME, PASSWORD, Hub

SOAK = os.environ.get("AEROCAST_SOAK") == "1"
EXAMPLES = 200 if SOAK else 2
NOBODYS_ID = "00000000-0000-0000-0000-000000000001"
METHODS = {"get", "post", "put", "delete", "patch"}


def is_endless(operation):
    """Say whether an operation streams until its listener leaves."""
    told = json.dumps(operation.get("responses", {}))
    return "text/event-stream" in told


def operations():
    told = json.loads(description(list(SERVICES)))
    for path in list(told["paths"]):
        ways = told["paths"][path]
        for method in METHODS & ways.keys():
            if is_endless(ways[method]):
                del ways[method]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own
        schema = schemathesis.openapi.from_dict(told)
        return [each.ok() for each in schema.get_all_operations()]


OPERATIONS = operations()


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    started = Hub(tmp_path_factory.mktemp("hub"))
    started.command("user", "add", NAME, "--role", "admin", given=f"{PASSWORD}\n")
    started.start()
    yield started
    started.stop()


@pytest.fixture
def allowed(hub):
    """A fresh token for every operation: it ends after a quarter of an hour."""
    signer = TokenKeys(hub.folder / "data", is_signing=True).signer
    token = signer.issue(NOBODYS_ID, NAME, frozenset({EVERYTHING}), int(time.time()))
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")  # the library's own
@pytest.mark.parametrize(
    "operation", OPERATIONS, ids=[f"{each.method} {each.path}" for each in OPERATIONS]
)
def test_no_request_makes_the_hub_fail(operation, hub, allowed):
    answered = []

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=not SOAK,
        phases=[Phase.generate, Phase.shrink] if SOAK else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case):
        answer = case.call(base_url=hub.base, headers=allowed, timeout=60)
        assert answer.status_code < 500, (case, answer.text, hub.logged())
        assert answer.status_code != 403, answer.text
        if "application/json" in "".join(answer.headers.get("content-type", [])):
            case.validate_response(answer, checks=[response_schema_conformance])
        answered.append(answer.status_code)

    ask()
    assert answered


def test_the_hub_is_still_there(hub):
    assert httpx.get(f"{hub.base}/health", timeout=60).is_success
