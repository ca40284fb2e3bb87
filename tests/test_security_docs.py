"""What the security pages name exists: every test of a threat, every piece of evidence."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "security"
NAMED = re.compile(
    r"`((?:tests|hub|docs|deploy|agent|protocols)/[\w./-]+\.(?:py|md|json|html))(?:::(\w+))?`"
)
STRIDE = set("STRIDE")


@pytest.mark.parametrize("page", ["threats.md", "asvs.md"])
def test_everything_named_exists(page):
    named = NAMED.findall((PAGES / page).read_text())
    assert len(named) > 40
    missing = [
        (file, name)
        for file, name in named
        if not (ROOT / file).is_file()
        or (
            name
            and not re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
        )
    ]
    assert missing == []


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
