import json
import logging

import pytest
from aerocast_hub.telemetry.logs import set_up_logs


@pytest.fixture(autouse=True)
def logging_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_a_log_line_is_one_json_object_whatever_it_holds(capsys):
    set_up_logs("json")
    logging.getLogger("a.b").warning("two\nlines and %s", '\u00e9"quotes"')
    logging.getLogger("a.b").error("it failed", exc_info=ValueError("no"))
    first, second = capsys.readouterr().err.splitlines()
    assert json.loads(first)["message"] == 'two\nlines and \u00e9"quotes"'
    assert json.loads(first)["level"] == "warning"
    assert "ValueError: no" in json.loads(second)["exception"]


def test_text_is_for_people(capsys):
    set_up_logs("text")
    logging.getLogger("a.b").info("all well")
    logging.getLogger("sqlalchemy.engine").info("SELECT a_name")
    assert capsys.readouterr().err.rstrip().endswith("INFO a.b: all well")
