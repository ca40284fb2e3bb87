"""Any request its own description allows, and many it does not: the hub never fails inside.

Every operation of every service, by an administrator: what is answered, errors too, is as
described. Walks follow where answers lead (OpenAPI links). ``make soak`` gives schemathesis' own
runner ten minutes, with all it knows.
"""

import json
import os
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import schemathesis
from aerocast_hub.auth.permissions import EVERYTHING
from aerocast_hub.auth.token_keys import TokenKeys
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    use_after_free,
)

from tests.hub.browser.conftest import NAME, Hub, seed

SOAK_S = int(os.environ.get("AEROCAST_SOAK_REQUESTS_S", "600"))
NOBODYS_ID = "00000000-0000-0000-0000-000000000001"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    use_after_free,
]
QUICK = settings(
    max_examples=1,
    stateful_step_count=10,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
COMMITTED = Path(__file__).parents[2] / "hub" / "openapi.json"
COMMAND = str(Path(sys.executable).with_name("schemathesis"))


# Where links lead from what is there from the start, and from what a walk makes by itself.
WALKED = ("auth/roles", "epcis/v2/queries")
FITTING, UNFITTING = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


class Told(NamedTuple):
    """What the hub says of itself."""

    document: dict
    endless: list[str]  # operations that stream until their listener leaves
    schema: schemathesis.BaseSchema
    operations: list


@pytest.fixture(scope="module")
def told():
    document = json.loads(COMMITTED.read_text())
    endless = [
        operation["operationId"]
        for ways in document["paths"].values()
        for operation in ways.values()
        if "text/event-stream" in json.dumps(operation["responses"])
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own
        schema = schemathesis.openapi.from_dict(document).exclude(operation_id=endless)
        return Told(document, endless, schema, [each.ok() for each in schema.get_all_operations()])


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    started = Hub(tmp_path_factory.mktemp("hub"))
    # One account asks everything, as fast as it can.
    started.environment["AEROCAST_HUB_ACCOUNT_REQUESTS_PER_S"] = "100000"
    started.start()
    yield started
    started.stop()


def headers(hub, ahead_s=0):
    """Give what an administrator sends; a token ends after a quarter of an hour."""
    signer = TokenKeys(hub.folder / "data", is_signing=True).signer
    now_s = int(time.time()) + ahead_s
    token = signer.issue(NOBODYS_ID, NAME, frozenset({EVERYTHING}), now_s)
    return {"Authorization": f"Bearer {token}"}


def once(hub, operation, mode):
    """Ask for one operation, and give the status."""
    statuses = []
    allowed = headers(hub)

    @given(case=operation.as_strategy(generation_mode=mode))
    @QUICK
    def ask(case):
        answer = case.call(base_url=hub.base, headers=allowed, timeout=60)
        assert answer.status_code < 500, (case, answer.text, hub.logged())
        case.validate_response(answer, checks=CHECKS)
        statuses.append(answer.status_code)

    ask()
    return statuses


@pytest.mark.filterwarnings("ignore")  # the library's own
def test_what_fits_is_answered_as_described(hub, told):
    answered = [each for operation in told.operations for each in once(hub, operation, FITTING)]
    assert len(answered) == len(told.operations) > 150
    assert sum(each < 300 for each in answered) > 60


@pytest.mark.filterwarnings("ignore")  # the library's own
def test_what_does_not_fit_is_refused_as_described(hub, told):
    bodies = [each for each in told.operations if each.definition.raw.get("requestBody")]
    answered = [each for operation in bodies for each in once(hub, operation, UNFITTING)]
    assert sum(400 <= each < 500 for each in answered) > 30


def test_nobody_gets_in_without_a_token(hub, told):
    asked = 0
    with httpx.Client(base_url=hub.base, timeout=60) as client:
        for path, ways in told.document["paths"].items():
            for method, operation in ways.items():
                if operation["security"] == [{}]:
                    continue
                answer = client.request(method, re.sub(r"\{\w+\}", NOBODYS_ID, path))
                assert answer.status_code == 401, (method, path, answer.text)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.json()["status"] == 401
                asked += 1
    assert asked > 120


@pytest.mark.filterwarnings("ignore")  # the library's own
def test_where_answers_lead_is_answered_as_described(hub, told):
    allowed = headers(hub)
    for path in WALKED:
        led = set()

        class Walk(told.schema.include(path_regex=f"^/{path}").as_state_machine()):
            def get_call_kwargs(self, _case):
                return {"base_url": hub.base, "headers": allowed, "timeout": 60}

            def validate_response(self, response, case, **_):
                assert response.status_code < 500, (case, response.text, hub.logged())
                case.validate_response(response, checks=CHECKS)

            def step(self, given):
                if given.transition is not None and given.is_applied:
                    led.add(given.transition.id)  # noqa: B023  of this round
                return super().step(given)

        Walk.run(settings=settings(QUICK, max_examples=12, stateful_step_count=25))
        assert len(led) > 1, (path, led)


# What a description cannot say: that a name must be of something there, or a date a day.
LEFT_OUT = "positive_data_acceptance"


@pytest.mark.soak
@pytest.mark.skipif(not os.environ.get("AEROCAST_SOAK"), reason="ten minutes: `make soak`")
def test_ten_minutes_of_requests_find_nothing(hub, told, tmp_path):
    seed(hub)
    allowed = headers(hub, ahead_s=2 * SOAK_S)["Authorization"]
    words = ["run", str(COMMITTED), "--url", hub.base, "--header", f"Authorization: {allowed}"]
    words += ["--exclude-checks", LEFT_OUT, "--max-time", str(SOAK_S), "--request-timeout", "60"]
    (tmp_path / "schemathesis.toml").write_text(
        # That more was sent than is taken is a refusal too.
        "[checks.negative_data_rejection]\nexpected-statuses = ['4xx']\n"
    )
    words += [word for name in told.endless for word in ("--exclude-operation-id", name)]
    ran = subprocess.run(
        [COMMAND, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        pytest.fail(f"{ran.stdout[-20_000:]}\n{ran.stderr[-2000:]}\n{hub.logged()}")
    generated = re.search(r"(\d+) generated", ran.stdout)
    assert generated is not None
    assert int(generated[1]) > SOAK_S
    assert httpx.get(f"{hub.base}/health", timeout=60).is_success
