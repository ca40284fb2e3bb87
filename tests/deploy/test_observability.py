"""Prometheus' rules by promtool; charts and log fields against what the hub really tells."""

import json
import logging
import re
import subprocess

import pytest
from aerocast_hub.telemetry.logs import set_up_logs
from aerocast_hub.telemetry.metrics import Metrics

from tests.deploy.folder import DEPLOY, documents_in, read_yaml
from tests.servers import find_server

PROMETHEUS = DEPLOY / "prometheus"
BOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))


def promtool(*arguments):
    return subprocess.run(
        [find_server("promtool", "prometheus"), *arguments],
        cwd=PROMETHEUS,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yaml"),
        ("check", "rules", "recording.yaml", "alerts.yaml"),
        ("test", "rules", "alerts_test.yaml"),
    ],
    ids=" ".join,
)
def test_promtool_is_content(arguments):
    checked = promtool(*arguments)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_is_tested_and_says_what_to_do():
    (rules,) = documents_in(PROMETHEUS / "alerts.yaml")
    tested = (PROMETHEUS / "alerts_test.yaml").read_text()
    for rule in rules["groups"][0]["rules"]:
        assert f"alertname: {rule['alert']}" in tested
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["action"]


def known_names():
    """Names of metrics as Prometheus reads them, and of what the rules record."""
    names = set()
    for metric in Metrics().registry.collect():
        names |= {metric.name + suffix for suffix in ("", "_total", "_bucket", "_count", "_sum")}
    (rules,) = documents_in(PROMETHEUS / "recording.yaml")
    return names | {rule["record"] for rule in rules["groups"][0]["rules"]}


def expressions():
    for name in ("recording.yaml", "alerts.yaml"):
        (rules,) = documents_in(PROMETHEUS / name)
        for rule in rules["groups"][0]["rules"]:
            yield rule.get("alert") or rule["record"], rule["expr"]
    for path in BOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield panel["title"], target["expr"]


def test_rules_and_charts_ask_for_metrics_the_hub_has():
    known = known_names()
    for where, expression in expressions():
        for name in re.findall(r"aerocast[_:][a-z0-9_:]+", expression):
            assert name in known, f"{where}: {name}"


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_draws_on_sources_that_are_provisioned(path):
    sources = {
        each["uid"]
        for each in read_yaml("grafana", "provisioning", "datasources", "datasources.yaml")[
            "datasources"
        ]
    }
    board = json.loads(path.read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        assert panel["datasource"]["uid"] in sources


def test_prometheus_looks_at_all_four_services():
    (hub,) = [
        job
        for job in read_yaml("prometheus", "prometheus.yaml")["scrape_configs"]
        if job["job_name"] == "aerocast-hub"
    ]
    targets = hub["static_configs"][0]["targets"]
    assert targets == ["auth:8001", "baggage:8002", "weather:8003", "orientation:8004"]


def test_the_collector_leads_from_a_receiver_over_processors_to_an_exporter():
    collector = read_yaml("otel", "collector.yaml")
    for pipeline in collector["service"]["pipelines"].values():
        for part in ("receivers", "processors", "exporters"):
            assert set(pipeline[part]) <= set(collector[part])


def test_the_index_knows_every_field_of_a_log_line(capsys):
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        set_up_logs("json")
        logging.getLogger("a").error("it failed", exc_info=ValueError("no"))
    finally:
        root.handlers[:], root.level = handlers, level
    line = json.loads(capsys.readouterr().err)
    template = json.loads((DEPLOY / "elk" / "index-template.json").read_text())
    for field in (*line, "trace.id", "span.id"):
        known = template["template"]["mappings"]
        for part in field.split("."):
            known = known["properties"][part]
        assert "type" in known, field


def test_logs_are_shipped_to_an_index_that_knows_their_source():
    filebeat = read_yaml("elk", "filebeat.yaml")
    pipeline = (DEPLOY / "elk" / "logstash.conf").read_text()
    (port,) = re.findall(r"beats \{ port => (\d+) \}", pipeline)
    assert filebeat["output.logstash"]["hosts"] == [f"logstash:{port}"]
    assert pipeline.count("{") == pipeline.count("}")
    template = json.loads((DEPLOY / "elk" / "index-template.json").read_text())
    assert template["index_patterns"] == ["aerocast-*"]
    assert '"aerocast-%{+YYYY.MM.dd}"' in pipeline
