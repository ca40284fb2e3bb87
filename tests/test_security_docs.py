"""What the security pages name is there and runs: tests of threats, evidence."""

import ast
import re
from functools import cache, reduce
from importlib import import_module
from pathlib import Path

import pytest
from aerocast_hub.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "security"
NAMED = re.compile(
    r"`((?:tests|hub|docs|deploy|agent|protocols)/[\w./-]+\.(?:py|md|json|html))(?:::(\w+))?`"
)
LIMIT = re.compile(r"^\| (.+) \| ([\d,]+) \| (S )?`([\w.]+)` \|$", re.MULTILINE)
STRIDE = set("STRIDE")
NEVER_RUN = {"skip", "xfail"}


@cache
def defined(file):
    """Give every function of a file by its name, and what stands for the whole file."""
    tree = ast.parse((ROOT / file).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return tree, {each.name: each for each in tree.body if isinstance(each, functions)}


def words(node):
    """Give every name and attribute under a node."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr


def is_always_left_out(file, name):
    """Say whether a test is marked as one that does not run, alone or with its file."""
    tree, functions = defined(file)
    marks = functions[name].decorator_list + [
        line.value
        for line in tree.body
        if isinstance(line, ast.Assign) and "pytestmark" in {*words(line)}
    ]
    return any(NEVER_RUN & {*words(mark)} for mark in marks)


def looks_at_something(file, name, seen=()):
    """Say whether a test asserts anything, itself or through a function of its file."""
    _, functions = defined(file)
    node = functions[name]
    if any(isinstance(each, ast.Assert) for each in ast.walk(node)) or {"raises", "fail"} & {
        *words(node)
    }:
        return True
    called = ({*words(node)} & functions.keys()) - {name, *seen}
    return any(looks_at_something(file, each, (*seen, name)) for each in called)


@pytest.mark.parametrize("page", ["threats.md", "asvs.md"])
def test_everything_named_exists_runs_and_asserts_something(page):
    named = NAMED.findall((PAGES / page).read_text())
    assert len(named) > 40
    wrong = [(file, name, "is not there") for file, name in named if not (ROOT / file).is_file()]
    for file, name in named:
        if not name:
            continue
        # Names pytest collects.
        is_test = Path(file).name.startswith("test_") and name.startswith("test_")
        if not is_test or name not in defined(file)[1]:
            wrong.append((file, name, "is no test there"))
        elif is_always_left_out(file, name):
            wrong.append((file, name, "never runs"))
        elif not looks_at_something(file, name):
            wrong.append((file, name, "asserts nothing"))
    assert wrong == []


@pytest.mark.parametrize("page", ["threats.md", "asvs.md"])
def test_a_file_of_tests_named_as_a_whole_has_tests_that_run(page):
    for file, name in NAMED.findall((PAGES / page).read_text()):
        if file.startswith("tests/") and not name:
            tests = [each for each in defined(file)[1] if each.startswith("test_")]
            assert tests, file
            assert [each for each in tests if not is_always_left_out(file, each)], file


def rows(page):
    for line in (PAGES / page).read_text().splitlines():
        if line.startswith("| ") and not line.startswith(("| |", "|---")):
            yield [each.strip() for each in line.strip("|").split("|")]


def test_every_threat_is_of_a_kind_and_names_a_test():
    told = list(rows("threats.md"))
    assert {each[0] for each in told} == STRIDE
    assert [each for each in told if "::test_" not in each[3]] == []


def test_every_item_of_the_standard_has_evidence_and_stands_once():
    told = list(rows("asvs.md"))
    numbers = [each[0] for each in told]
    assert len(numbers) == len(set(numbers)) > 150
    assert [each for each in told if not re.fullmatch(r"\d+\.\d+\.\d+", each[0])] == []
    assert [each for each in told if "`" not in each[3]] == []


def test_the_front_page_leads_there():
    front = (ROOT / "SECURITY.md").read_text()
    for name in ("threats.md", "asvs.md"):
        assert f"docs/security/{name}" in front


def in_the_code(name):
    """Find ``package.module.NAME``, or an attribute of it."""
    module, _, rest = re.match(r"([a-z_.0-9]+)(\.)([A-Z].*)", name).groups()
    return reduce(getattr, rest.split("."), import_module(module))


def test_every_limit_is_what_the_code_says():
    page = (PAGES / "limits.md").read_text()
    found = LIMIT.findall(page)
    rows = [line for line in page.splitlines() if line.startswith("| ") and "| what |" not in line]
    assert len(found) == len(rows) > 40
    wrong = {}
    for what, number, is_setting, name in found:
        stands = Settings.model_fields[name].default if is_setting else in_the_code(name)
        if stands != int(number.replace(",", "")):
            wrong[what] = stands
    assert wrong == {}
