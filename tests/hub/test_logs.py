import json
import logging

import pytest
from aerocast_hub.telemetry.logs import set_up_logs
from aerocast_hub.telemetry.process import INSTANCE
from aerocast_hub.telemetry.security_log import tell_refusal
from aerocast_hub.telemetry.tracing import span, tracing

from tests.hub.telemetry.otlp_receiver import receiving


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
    assert json.loads(first)["log.level"] == "warning"
    assert "ValueError: no" in json.loads(second)["error.stack_trace"]


def test_a_line_names_its_trace_and_carries_fields_of_its_own(capsys):
    set_up_logs("json", to="stdout")
    with receiving() as receiver, tracing(receiver.url, 1.0), span("at work"):
        logging.getLogger("a.b").info("seen", extra={"ecs": {"event.action": "login"}})
    line = json.loads(capsys.readouterr().out.splitlines()[0])
    kept = receiver.named("at work")
    assert (line["trace.id"], line["span.id"]) == (kept.trace_id.hex(), kept.span_id.hex())
    assert line["event.action"] == "login"
    assert line["service.name"] == "aerocast-hub"


def test_lines_of_a_hub_of_one_service_say_which(capsys):
    set_up_logs("json", service="aerocast-hub-weather")
    logging.getLogger("a.b").info("all well")
    tell_refusal("op", None, "no permission")
    plain, refusal = map(json.loads, capsys.readouterr().err.splitlines())
    assert plain["service.name"] == refusal["service.name"] == "aerocast-hub-weather"
    assert plain["service.node.name"] == INSTANCE


def test_text_is_for_people(capsys):
    set_up_logs("text")
    logging.getLogger("a.b").info("all well")
    logging.getLogger("sqlalchemy.engine").info("SELECT a_name")
    assert capsys.readouterr().err.rstrip().endswith("INFO a.b: all well")
