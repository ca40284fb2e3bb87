"""Debian's PostgreSQL, started for tests as an unprivileged user on a socket of its own."""

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


def find_binaries():
    """Give the folder of the newest PostgreSQL; skip by name without one, fail in CI."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3])
    )
    if found:
        return found[-1].parent
    message = "PostgreSQL is not installed (package postgresql)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def running_postgresql(binaries):
    """Run a server; gives the folder its socket is in."""
    # Not under pytest's own folder: that is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="aerocast-pg-"))
    folder.chmod(0o755)
    as_user = {}
    if os.geteuid() == 0:
        shutil.chown(folder, UNPRIVILEGED)
        as_user = {"user": UNPRIVILEGED}
    data = folder / "data"
    initdb = [binaries / "initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8"]
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
            server = subprocess.Popen(
                [
                    binaries / "postgres",
                    "-D",
                    data,
                    "-k",
                    folder,
                    "-c",
                    "listen_addresses=",
                    "-c",
                    "fsync=off",
                    "-c",
                    "max_connections=200",
                ],
                cwd="/",
                stdout=log,
                stderr=log,
                **as_user,
            )
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
