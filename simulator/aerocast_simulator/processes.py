"""Run the hub and its gateways as the processes they are."""

import asyncio
import itertools
import json
import os
import random
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

START_LIMIT_S = 40.0
STOP_LIMIT_S = 25.0


class CommandError(RuntimeError):
    """A command of AeroCast ended badly; the message carries the end of what it said."""


# Below those Linux gives to whoever connects (/proc/sys/net/ipv4/ip_local_port_range: from 32768):
# nobody else gets one of these before its server has started, or while it is away. Each process
# looks at a part of them, one after the other: several at once do not find the same one.
_PORTS = range(20_000, 32_000)
_PARTS = 16
_PART = range(len(_PORTS))[os.getpid() % _PARTS :: _PARTS]
_tried = itertools.count(random.randrange(len(_PART)))  # noqa: S311  a place to begin, no secret


def free_port() -> int:
    """Give a TCP port of 127.0.0.1 that nobody listens on at the moment.

    Raises
    ------
    OSError
        All are taken.
    """
    for _ in _PART:
        port = _PORTS[_PART[next(_tried) % len(_PART)]]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {_PORTS.start} to {_PORTS.stop - 1}")


def command_path(name: str) -> str:
    """Find one of AeroCast's commands: beside this Python first, then on PATH.

    Raises
    ------
    CommandError
        It is not installed.
    """
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise CommandError(f"command {name} is not installed: run 'make install'")
    return found


async def call(name: str, *arguments: str, environment: Mapping[str, str], given: str = "") -> str:
    """Run a command to its end and give its standard output.

    Parameters
    ----------
    given
        Text for its standard input: where passwords go, never into arguments.

    Raises
    ------
    CommandError
        It ended with another status than 0.
    """
    process = await asyncio.create_subprocess_exec(
        command_path(name),
        *arguments,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(given.encode())
    if process.returncode != 0:
        said = (err or out).decode(errors="replace").strip()[-2000:]
        raise CommandError(f"{name} {' '.join(arguments)} ended with {process.returncode}: {said}")
    return out.decode()


class Service:
    """One long-running command, its log in a file.

    Parameters
    ----------
    name
        The command, ``aerocast-hub`` or ``aerocast-agent``.
    arguments, environment
        What it gets; the environment is added to ours.
    log
        Where its output goes.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        self._arguments = list(arguments)
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return None if self._process is None or not self.is_running else self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; returns at once."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                command_path(self.name),
                *self._arguments,
                env={**os.environ, **self._environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Control-C is for whoever started it: what ends first is not up to the terminal.
                start_new_session=True,
            )

    async def stop(self) -> int | None:
        """Ask it to end, insist after ``STOP_LIMIT_S``, and give its exit status."""
        process = self._process
        if process is None:
            return None
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_LIMIT_S)
            except TimeoutError:
                process.kill()
        return await process.wait()

    async def kill(self) -> None:
        """End it as a power cut would: SIGKILL, no goodbye."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def fail_if_ended(self) -> None:
        """Raise ``CommandError`` with the end of its log if it is not running."""
        if not self.is_running:
            said = self.log.read_text(errors="replace").strip()[-2000:] if self.log.exists() else ""
            raise CommandError(f"{self.name} ended by itself: {said}")


def status_of(text: str) -> dict[str, object]:
    """Read the one JSON object a ``--json`` command printed.

    Raises
    ------
    CommandError
        It printed something else.
    """
    try:
        decoded = json.loads(text)
    except json.JSONDecodeError as error:
        raise CommandError(f"expected one JSON object, got {text[:200]!r}") from error
    if not isinstance(decoded, dict):
        raise CommandError(f"expected one JSON object, got {text[:200]!r}")
    return decoded
