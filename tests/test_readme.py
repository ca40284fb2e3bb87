"""README stays true: every command it shows exists and explains itself with an example."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SHOWN = sorted(
    set(
        re.findall(
            r"(aerocast-(?:agent|hub)) ([a-z]+)(?: (add|list|check|losses|flights))?", README
        )
    )
)
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(("command", "verb", "more"), SHOWN)
def test_commands_in_the_readme_explain_themselves(command, verb, more):
    said = subprocess.run(
        [str(BIN / command), verb, "--help"], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert "xample" in said.stdout
    assert more in said.stdout


@pytest.mark.parametrize("readme", ["README.md", "README.fr.md"])
def test_kinds_of_devices_in_the_readme_are_those_there_are(readme):
    table = set(re.findall(r"^\| `([a-z0-9_]+)`", (ROOT / readme).read_text(), re.MULTILINE))
    asked = [str(BIN / "aerocast-agent"), "config", "schema"]
    schema = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    structs = json.loads(schema)["$defs"]
    kinds = {
        name["enum"][0]
        for device in structs["Config"]["properties"]["device"]["items"]["anyOf"]
        if (name := structs[device["$ref"].rpartition("/")[2]]["properties"]["kind"])
    }
    assert table == kinds


def test_the_configuration_in_the_readme_is_a_good_one(tmp_path):
    (shown,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "agent.toml").write_text(shown)
    asked = [str(BIN / "aerocast-agent"), "config", "check", str(tmp_path / "agent.toml")]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("target", re.findall(r"\]\(((?!http)[^)#]+)\)", README))
def test_links_in_the_readme_lead_somewhere(target):
    assert (ROOT / target).exists()


def test_make_lists_what_can_be_made():
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = ["demo", "test", "check", "bench", "soak", "audit", "lock", "upgrade", "help"]
    assert set(names) <= {line.split()[0] for line in said.stdout.splitlines()}
