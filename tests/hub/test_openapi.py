import json
from pathlib import Path

from aerocast_hub.commands.openapi import description
from aerocast_hub.settings import SERVICES

COMMITTED = Path(__file__).parents[2] / "hub" / "openapi.json"


def test_the_committed_description_is_that_of_the_code():
    assert COMMITTED.read_text() == description(list(SERVICES)) + "\n", (
        "the API has changed: run `make openapi` and look at the difference"
    )


def test_every_operation_has_a_name_of_its_own():
    paths = json.loads(COMMITTED.read_text())["paths"]
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(names) == len(set(names))
    assert all(name[0].isupper() and name.isidentifier() for name in names)
