"""Orders to a gateway: a fixed list of verbs, bytes that never change."""

import json
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from aerocast_protocols import commands
from aerocast_protocols.commands import Command, CommandResult
from aerocast_protocols.errors import ProtocolError
from hypothesis import given
from hypothesis import strategies as st

GOLDEN = json.loads((Path(__file__).parent / "wire_v1.json").read_text())["messages"]
COMMAND = Command(
    id="a1", verb="restart_device", expires_at_us=1_720_267_200_000_000, device="portal-4"
)
RESULT = CommandResult(id="a1", output="pong")


@pytest.mark.parametrize(("name", "message"), [("command", COMMAND), ("result", RESULT)])
def test_golden_bytes_stay_and_are_read(name, message):
    assert commands.encode(message).hex() == GOLDEN[name]
    assert commands.decode(bytes.fromhex(GOLDEN[name])) == message


def test_a_verb_outside_the_list_is_refused():
    wild = {"kind": "command", "id": "a1", "verb": "shell", "expires_at_us": 1}
    with pytest.raises(ProtocolError, match="verb"):
        commands.decode(msgspec.msgpack.encode(wild))


@given(
    st.text(min_size=1, max_size=64),
    st.sampled_from(get_args(commands.Verb)),
    st.integers(0, 2**62),
    st.none() | st.text(max_size=256),
)
def test_any_message_is_read_as_it_was_written(name, verb, expires_at_us, device):
    message = Command(id=name, verb=verb, expires_at_us=expires_at_us, device=device)
    assert commands.decode(commands.encode(message)) == message


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(wild):
    try:
        said = commands.decode(wild)
    except ProtocolError as error:
        said = str(error)
    assert said
