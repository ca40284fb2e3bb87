"""`aerocast-hub user` as an administrator uses it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub.auth.conftest import PASSWORD

COMMAND = str(Path(sys.executable).with_name("aerocast-hub"))


@pytest.fixture
def user(tmp_path):
    """Run the command on a hub that has never run."""

    def run(*words, given="", **environment):
        return subprocess.run(
            [COMMAND, "user", *words],
            env={**os.environ, "AEROCAST_HUB_DATA_DIR": str(tmp_path), **environment},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            check=False,
        )

    return run


def test_an_account_is_added_listed_and_disabled(user):
    added = user("add", "Anna", "--role", "operator", "--json", given="correct horse battery\n")
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout)["name"] == "anna"
    assert "horse" not in added.stdout + added.stderr
    disabled = user("disable", "anna", "--json")
    assert json.loads(disabled.stdout)["disabled_at_us"] is not None
    (line,) = user("list", "--json").stdout.splitlines()
    assert json.loads(line)["roles"] == ["operator"]
    assert "argon2" not in line


def test_who_lost_everything_is_rescued_from_the_machine_itself(user):
    user("add", "Anna", given="correct horse battery\n")
    user("disable", "anna")
    assert json.loads(user("enable", "anna", "--json").stdout)["disabled_at_us"] is None
    given = json.loads(user("reset", "anna", "--json").stdout)
    assert len(given["password"]) >= 20
    assert "to choose a password" in user("list").stdout
    assert "there is no user 'bo'" in user("reset", "bo").stderr


def test_the_keys_are_listed_and_changed(user, tmp_path):
    def keys(*words):
        command = [COMMAND, "keys", *words, "--json"]
        environment = {**os.environ, "AEROCAST_HUB_DATA_DIR": str(tmp_path)}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    assert keys("list") == []
    (first,) = keys("rotate")
    second, old = keys("rotate")
    assert (first["id"], first["good_until_us"]) == (old["id"], None)
    assert old["good_until_us"] > second["made_at_us"]
    (third,) = keys("rotate", "--compromised")
    assert third["id"] not in (first["id"], second["id"])


def test_the_password_may_come_from_the_environment(user):
    added = user("add", "ben", AEROCAST_HUB_USER_PASSWORD=PASSWORD)
    assert added.returncode == 0, added.stderr
    assert "viewer" in added.stdout


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (("add", "ben"), "short\n", "12 to 1024 characters"),
        (("add", "ben", "--role", "king"), "correct horse battery\n", "there is no role 'king'"),
        (("disable", "nobody"), "", "there is no user 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_done(user, words, given, said):
    refused = user(*words, given=given)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert user("list", "--json").stdout == ""


def test_a_password_is_no_argument(user):
    assert user("add", "ben", "--password", "correct horse battery").returncode == 2
