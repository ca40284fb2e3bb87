"""Find the real servers tests run against; a missing one is named, and in CI it is a failure."""

import importlib
import os
import shutil

import pytest


def find_server(name, package=None):
    """Give the path of a server's binary.

    Parameters
    ----------
    package
        Debian's package that brings it, where it is called otherwise.
    """
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/lib/rabbitmq/bin")
    if found is None:
        absent = f"{name} is not installed: apt install {package or name}"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)
    return found


def find_peer(name):
    """Give a Python module that speaks to ours from the other side.

    It comes with the development tools; a laptop without it skips, by name.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        absent = f"{name} is not installed: make install"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)
