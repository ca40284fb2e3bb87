import msgspec
import pytest
from aerocast_hub.audit.chain import NOTHING_BEFORE, Anchor, Break, Checker, Line, seal
from hypothesis import given, settings
from hypothesis import strategies as st

WORDS = st.text(max_size=20)
SAID = st.tuples(st.integers(0, 2**53), WORDS, WORDS, WORDS, st.none() | WORDS, st.none() | WORDS)


def chain(said):
    lines, previous = [], NOTHING_BEFORE
    for number, (at_us, action, subject, actor, client, after) in enumerate(said, 1):
        line = Line(
            number=number, at_us=at_us, action=action, outcome="success", subject=subject,
            actor=actor, client=client, before=None, after=after, previous=previous,
        )  # fmt: skip
        lines.append(msgspec.structs.replace(line, hash=seal(line)))
        previous = lines[-1].hash
    return lines


def checked(lines, pieces=1):
    checker = Checker(Anchor())
    size = max(1, len(lines) // pieces)
    for at in range(0, len(lines), size):
        broken = checker.first_break(lines[at : at + size])
        if broken is not None:
            return broken
    return None


@given(st.lists(SAID, max_size=8), st.integers(1, 4))
@settings(max_examples=50)
def test_a_trail_as_it_was_written_is_whole_however_it_is_read(said, pieces):
    assert checked(chain(said), pieces) is None


@given(st.lists(SAID, min_size=1, max_size=6), st.data())
@settings(max_examples=100)
def test_the_first_line_that_was_changed_is_named_whatever_was_changed(said, data):
    lines = chain(said)
    at = data.draw(st.integers(0, len(lines) - 1))
    field = data.draw(st.sampled_from([*Line.__struct_fields__]))
    if field == "number":
        return
    known = getattr(lines[at], field)
    if isinstance(known, bytes):
        new = bytes([known[0] ^ 1]) + known[1:]
    elif isinstance(known, int):
        new = known + 1
    else:
        new = (known or "") + "x"
    lines[at] = msgspec.structs.replace(lines[at], **{field: new})
    assert checked(lines) == Break(number=at + 1, why="changed")


@given(st.lists(SAID, min_size=2, max_size=6), st.data())
@settings(max_examples=50)
def test_a_line_that_is_gone_is_named(said, data):
    lines = chain(said)
    at = data.draw(st.integers(0, len(lines) - 2))
    assert checked(lines[:at] + lines[at + 1 :]) == Break(number=at + 1, why="missing")


def test_a_line_sealed_anew_breaks_at_the_next():
    lines = chain([(1, "a", "b", "c", None, None)] * 3)
    forged = msgspec.structs.replace(lines[0], actor="nobody")
    lines[0] = msgspec.structs.replace(forged, hash=seal(forged))
    assert checked(lines) == Break(number=2, why="changed")


@pytest.mark.parametrize(
    ("number", "why"), [(2, None), (3, "changed"), (4, "cut off"), (9, "cut off")]
)
def test_what_was_known_before_shows_a_cut_or_forged_end(number, why):
    lines = chain([(1, "a", "b", "c", None, None)] * 3)
    checker = Checker(Anchor())
    assert checker.first_break(lines) is None
    known = Anchor(number=number, hash=bytes(32))
    expected = None if why is None else Break(number=min(number, 4), why=why)
    assert checker.against(known) == expected
    assert checker.against(Anchor(number=3, hash=lines[-1].hash)) is None


def test_fields_do_not_run_into_one_another():
    one = chain([(1, "ab", "c", "d", None, None)])
    other = chain([(1, "a", "bc", "d", None, None)])
    assert one[0].hash != other[0].hash
