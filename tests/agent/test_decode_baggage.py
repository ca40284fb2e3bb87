"""``decode bim``: the keys people script against, for every named sample."""

import io
import json
import sys
from pathlib import Path

import pytest
from aerocast_agent.cli import main

SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "baggage" / "bim/messages.jsonl"


def run(capsys, monkeypatch, stdin, *arguments):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    status = main(["decode", "bim", *arguments, "--json", "-"])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def holds(expected, found):
    if isinstance(expected, dict):
        return all(holds(each, found[key]) for key, each in expected.items() if key != "note")
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(holds, expected, found))
    return expected == found


@pytest.mark.skipif(not SAMPLES.exists(), reason="shared/data/baggage is not here")
def test_every_sample_gives_its_keys_and_its_bytes(capsys, monkeypatch):
    rows = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    status, lines = run(capsys, monkeypatch, SAMPLES.read_bytes(), "--jsonl")
    assert status == 1
    assert len(lines) == len(rows)
    for row, line in zip(rows, lines, strict=True):
        if "error" in row["expect"]:
            assert set(line) == {"error", "input"}
            continue
        assert line["id"] == row["id"]
        assert line["reencoded"] == row["raw"]
        assert holds(row["expect"], line), (row, line)


def test_a_file_of_messages_gives_a_line_for_each(capsys, monkeypatch):
    one = b"BSM\r\n.V/1LLHR\r\n.N/0125000001002\r\nENDBSM\r\n"
    status, lines = run(capsys, monkeypatch, one + b"\r\nMVT\r\nBA1\r\n\r\n" + one)
    assert status == 1
    assert [line.get("tags") for line in lines] == [
        ["0125000001", "0125000002"],
        None,
        ["0125000001", "0125000002"],
    ]
    assert [line.get("id") for line in lines] == ["1", None, "3"]


def test_groups_of_a_transfer_message_are_given_each(capsys, monkeypatch):
    message = b"BTM\n.V/1TLHR\n.F/BA1/01MAY\n.N/0125000001\n.P/DOE\n.N/0125000002\nENDBTM\n"
    status, lines = run(capsys, monkeypatch, message)
    assert status == 0
    assert [each["tags"] for each in lines[0]["groups"]] == [["0125000001"], ["0125000002"]]
    assert lines[0]["tags"] == ["0125000001", "0125000002"]


def test_a_line_that_is_no_row_is_refused_in_its_place(capsys, monkeypatch):
    status, lines = run(capsys, monkeypatch, b'{"id": 1}\nnothing\n{"raw": "\\u20ac"}\n', "--jsonl")
    assert status == 1
    assert all(set(line) == {"error", "input"} for line in lines)
    assert len(lines) == 3
