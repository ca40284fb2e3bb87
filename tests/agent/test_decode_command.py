"""The frame of `aerocast-agent decode`: lines in are lines out, whatever the kind."""

import argparse
import io
import json
import sys
from importlib.machinery import ModuleSpec

import pytest
from aerocast_agent.cli import decode, main
from aerocast_agent.cli.decode.kinds import Kind, Refused
from aerocast_protocols.errors import ProtocolError


def shout(source, options):
    for line in source.read().decode().splitlines():
        if line == "broken":
            raise ProtocolError("the stream breaks here")
        if line:
            yield {"word": line.upper(), "times": options.times, "unknown": None}
        else:
            yield Refused("nothing to shout", line)


SHOUT = Kind("a word a line", shout, lambda parser: parser.add_argument("--times", default="1"))


@pytest.fixture
def words(tmp_path, monkeypatch):
    """A kind of our own, plugged in as the real ones are."""
    module = type(sys)("aerocast_agent.cli.decode.words")
    module.KINDS = {"words": SHOUT}
    module.__spec__ = ModuleSpec(module.__name__, None)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(decode.KINDS, "words", type(decode.KINDS["epc"])("words", "words"))
    file = tmp_path / "words.txt"
    file.write_text("one\n\ntwo\n")
    return file


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_lines_in_are_lines_out_and_a_refused_one_sets_the_status(words, capsys):
    assert main(["decode", "words", str(words)]) == 1
    assert lines(capsys) == [
        {"word": "ONE", "times": "1", "unknown": None},
        {"error": "nothing to shout", "input": ""},
        {"word": "TWO", "times": "1", "unknown": None},
    ]


def test_fields_limit_the_lines_and_an_unknown_field_is_named(words, capsys):
    words.write_text("one\n")
    assert main(["decode", "--fields", "word,wird", "words", str(words)]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"word": "ONE"}
    assert "no line had a field 'wird'; did you mean 'word'?" in shown.err


def test_a_value_with_a_minus_sign_is_a_value(words, capsys):
    words.write_text("one\n")
    assert main(["decode", "words", "--times", "-3.5,2", str(words)]) == 0
    assert lines(capsys)[0]["times"] == "-3.5,2"


def test_a_stream_that_breaks_ends_with_a_refusal(words, capsys):
    words.write_text("one\nbroken\ntwo\n")
    assert main(["decode", "words", str(words)]) == 1
    assert lines(capsys)[1] == {"error": "the stream breaks here", "input": str(words)}


def test_standard_input_is_read_when_no_file_is_named(words, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hello\n")))
    assert main(["decode", "words"]) == 0
    assert lines(capsys)[0]["word"] == "HELLO"


def test_a_readable_line_leaves_unknown_values_out():
    assert decode._readable({"a": 1.25, "b": None, "c": [1]}) == "a 1.25  c [1]\n"


def test_a_kind_nobody_knows_names_the_nearest(capsys):
    assert main(["decode", "modess"]) == 2
    assert "did you mean 'modes'?" in capsys.readouterr().err


def test_a_kind_that_is_not_there_says_so(monkeypatch, capsys):
    monkeypatch.setitem(decode.KINDS, "taf", type(decode.KINDS["epc"])("tafs", "forecasts"))
    assert main(["decode", "taf"]) == 2
    assert "'taf' is not available in this version" in capsys.readouterr().err


def test_the_list_names_every_kind(capsys):
    assert main(["decode", "list"]) == 0
    assert {line["kind"] for line in lines(capsys)} == set(decode.KINDS)


def test_a_missing_file_is_wrong_usage(words, capsys):
    assert main(["decode", "words", "nowhere.bin"]) == 2
    assert "nowhere.bin: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["decode", "version"])
def test_help_shows_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    assert "Example: aerocast-agent" in capsys.readouterr().out


def test_an_unknown_command_names_the_nearest(capsys):
    assert main(["statsu"]) == 2
    assert "did you mean 'status'?" in capsys.readouterr().err


def test_kinds_take_their_own_options():
    parser = argparse.ArgumentParser()
    SHOUT.add_arguments(parser)
    assert parser.parse_args(["--times", "2"]).times == "2"
