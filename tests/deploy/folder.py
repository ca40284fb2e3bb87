"""The folder deploy/, and the checkers that come with the development tools."""

import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"


def read_yaml(*parts):
    return yaml.safe_load(DEPLOY.joinpath(*parts).read_text())


def documents_in(path):
    return [each for each in yaml.safe_load_all(path.read_text()) if each is not None]


def find_checker(name):
    """Give a checker's path; it comes with the development tools, for amd64 alone."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        absent = f"{name} is not installed: make install"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)
    return found
