"""Any request its own description allows, and many it does not: the hub never fails inside."""

import json
import os
import warnings

import httpx
import pytest
import schemathesis
from aerocast_hub.commands.openapi import description
from hypothesis import HealthCheck, Phase, given, settings

from tests.hub.browser.conftest import NAME, PASSWORD, Hub

SOAK = os.environ.get("AEROCAST_SOAK") == "1"
EXAMPLES = 200 if SOAK else 3
ENDLESS = "/live"


def operations():
    told = json.loads(description(["baggage"]))
    del told["paths"][ENDLESS]
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


@pytest.fixture(scope="module")
def allowed(hub):
    asked = {"name": NAME, "password": PASSWORD}
    tokens = httpx.post(f"{hub.base}/auth/login", json=asked).json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


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
        assert answer.status_code not in (401, 403), answer.text
        answered.append(answer.status_code)

    ask()
    assert answered
