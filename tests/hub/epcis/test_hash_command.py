import json

from aerocast_hub.cli import main

from tests.protocols.test_epcis import CONTEXT, EVENT


def test_the_events_of_a_file_are_named_a_line_each(tmp_path, capsys):
    file = tmp_path / "document.json"
    spoilt = EVENT | {"eventTime": "soon"}
    document = {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-22T20:00:00Z",
        "epcisBody": {"eventList": [EVENT, spoilt, EVENT]},
    }
    file.write_text(json.dumps(document))
    assert main(["epcis", "hash", str(file), "--json"]) == 1
    named, refused, again = map(json.loads, capsys.readouterr().out.splitlines())
    assert named == again
    assert named["event_id"].startswith("ni:///sha-256;fb3cc5d7a297")
    assert refused == {"error": "'soon' is no time with an offset", "input": "event 2"}


def test_what_is_no_document_is_refused_with_the_reason(tmp_path, capsys):
    file = tmp_path / "document.json"
    file.write_text('{"type": "EPCISDocument"}')
    assert main(["epcis", "hash", str(file)]) == 1
    assert '"@context" is a required property' in capsys.readouterr().err
    assert main(["epcis", "hash", str(tmp_path / "absent")]) == 2
