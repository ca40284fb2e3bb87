import msgspec
from aerocast_hub.importing import Names, RefusedRow, WrongValueError, read_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


class Line(msgspec.Struct):
    name: str
    number: int | None = None
    secret: str | None = None


def make(line):
    if line.name == "no":
        raise WrongValueError("name", line.name, "anything but no")
    return line


def read(tmp_path, text, name="rows.jsonl"):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_rows(file, Line, make, Names("secret")))


def test_json_lines_and_csv_give_the_same(tmp_path):
    as_json = read(tmp_path, '{"name": "a", "number": 4}\n\n{"name": "b"}\n')
    as_csv = read(tmp_path, "name,number,secret\na,4,\n\nb,,\n", "rows.csv")
    assert as_json == as_csv == [Line("a", 4), Line("b")]


def test_csv_is_known_by_its_first_line_whatever_the_files_name(tmp_path):
    assert read(tmp_path, "\ufeffname,number\na,4\n", "rows.txt") == [Line("a", 4)]


def test_a_bad_line_is_named_with_key_and_value_and_the_rest_is_taken(tmp_path):
    rows = read(tmp_path, '{"name": "a"}\n{"name": "b", "number": "x"}\n{"name": "no"}\nzzz\n[1]\n')
    assert rows[0] == Line("a")
    assert [each.error for each in rows[2:]] == [
        "line 3: name 'no': expected anything but no",
        "line 4: expected a JSON object",
        "line 5: expected a JSON object",
    ]
    assert rows[1].error.startswith("line 2: number 'x': expected int")


def test_a_missing_key_is_named(tmp_path):
    (refused,) = read(tmp_path, '{"number": 4}\n')
    assert refused == RefusedRow("line 1: name is missing", '{"number": 4}')
    assert read(tmp_path, "name,number\n,4\n", "rows.csv")[0].input == ",4"


def test_csv_lines_with_too_many_fields_are_refused_by_number(tmp_path):
    rows = read(tmp_path, "name,number\na,1\nb,2,3\nc,x\n", "rows.csv")
    assert rows[0] == Line("a", 1)
    assert rows[1].error == "line 3: 3 fields under 2 headings"
    assert rows[2].error.startswith("line 4: number 'x': expected int")


def test_personal_values_are_not_shown(tmp_path):
    rows = read(
        tmp_path,
        '{"name": "no", "secret": "MARTIN"}\n{"name": 1, "secret": "MARTIN"}\n'
        '{"name": "no", "secret": "MARTIN\n{"name": "b", "secret": ["MARTIN"]}\n',
    )
    rows += read(tmp_path, "name,secret\nno,MARTIN\n", "rows.csv")
    assert len(rows) == 5
    assert all(isinstance(each, RefusedRow) for each in rows)
    assert "MARTIN" not in repr(rows)


def test_an_empty_file_holds_nothing(tmp_path):
    assert read(tmp_path, "") == []


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200), st.sampled_from(["rows.csv", "rows.jsonl"]))
def test_any_bytes_are_lines_or_refused(tmp_path, content, name):
    assert all(isinstance(each, Line | RefusedRow) for each in read(tmp_path, content, name))
