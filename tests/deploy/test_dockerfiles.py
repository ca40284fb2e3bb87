"""The images' recipes, by hadolint; what they would install, by doing it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.folder import DEPLOY, find_checker

ROOT = DEPLOY.parent
DOCKERFILES = sorted(DEPLOY.glob("*.Dockerfile"))


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_hadolint_finds_nothing(path):
    checked = subprocess.run(
        [find_checker("hadolint"), str(path)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_hadolint_would_find_something(tmp_path):
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian:latest\nRUN cd /tmp && sudo apt-get install curl\n")
    checked = subprocess.run([find_checker("hadolint"), str(bad)], capture_output=True, check=False)
    assert checked.returncode != 0


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_an_image_is_built_in_two_stages_and_runs_as_nobody_in_particular(path):
    build, final = re.split(r"(?m)^FROM ", path.read_text())[1:]
    assert "uv pip install --constraints requirements.lock" in build
    assert "pip install" not in final
    assert "\nUSER 10001:10001\n" in final
    assert "\nHEALTHCHECK " in final
    assert "\nSTOPSIGNAL SIGTERM\n" in final


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_an_image_installs_what_there_is_from_folders_that_reach_the_engine(path):
    text = path.read_text()
    member = path.stem
    manifest = (ROOT / member / "pyproject.toml").read_text()
    (asked,) = re.findall(r"(?m)^ARG EXTRAS=(.+)$", text)
    for extra in asked.split(","):
        assert re.search(rf"(?m)^{extra} = \[", manifest), f"{member} has no extra {extra}"
    let_through = (ROOT / ".dockerignore").read_text()
    for source in re.findall(r"(?m)^COPY (?!--from)(\S+)", text):
        assert (ROOT / source).exists()
        assert f"!{source}\n" in let_through


def test_a_changed_file_would_not_be_installed(tmp_path):
    """The lock's hashes hold as constraints too: what an image is made of is what was tested."""
    lock = (ROOT / "requirements.lock").read_text()
    start = lock.index("\nmsgspec==") + 1
    entry = lock[start : lock.index("\nmypy==", start)]
    changed = tmp_path / "changed.lock"
    changed.write_text(lock.replace(entry, re.sub(r"sha256:........", "sha256:00000000", entry)))
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "v"], check=True)
    refused = subprocess.run(
        [uv, "pip", "install", "--no-cache", "--constraints", changed, ROOT / "protocols"],
        env={"VIRTUAL_ENV": str(tmp_path / "v"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode != 0
