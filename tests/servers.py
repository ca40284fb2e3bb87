"""Find the real servers tests run against; a missing one is named, and in CI it is a failure."""

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
