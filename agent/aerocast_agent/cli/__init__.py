"""The command line of a gateway: ``aerocast-agent COMMAND``.

Each command is a module with ``run(arguments) -> exit status``, imported only when it is called:
the daemon must not carry what a technician's command needs.
"""

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

WELL, REFUSED, WRONG_USAGE = 0, 1, 2


class Command(NamedTuple):
    """Where a command lives and what it is for."""

    module: str
    help: str


COMMANDS = {
    "run": Command("aerocast_agent.cli.run", "run the gateway's daemon"),
    "status": Command("aerocast_agent.cli.status", "how this gateway is doing, daemon up or down"),
    "doctor": Command("aerocast_agent.cli.doctor", "find out what is wrong, and how to mend it"),
    "diagnose": Command("aerocast_agent.cli.diagnose", "all that helps from afar, in one file"),
    "send": Command("aerocast_agent.cli.send", "captures to the hub's store"),
    "decode": Command("aerocast_agent.cli.decode", "read a capture: tags, scans, fixes, aircraft"),
    "devices": Command("aerocast_agent.cli.devices", "what is configured, and how each is doing"),
    "probe": Command("aerocast_agent.cli.probe", "what one device says of itself, and is wrong"),
    "profiles": Command("aerocast_agent.cli.profiles", "settings for models of device"),
    "tail": Command("aerocast_agent.cli.tail", "the newest observations; -f: each as it comes"),
    "replay": Command("aerocast_agent.cli.replay", "send again now what is still on disk"),
    "spool": Command("aerocast_agent.cli.spool", "look into what waits on disk for the hub"),
    "enrol": Command("aerocast_agent.cli.enrol", "a certificate from the hub, for a token"),
    "install": Command("aerocast_agent.cli.install", "the service's unit, user and folders"),
    "config": Command("aerocast_agent.cli.config", "show, check or explain agent.toml"),
    "version": Command("aerocast_agent.cli.version", "which version this is"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status: 0 well, 1 something refused, 2 wrong usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in {"-h", "--help", "help"}:
        sys.stdout.write(_overview())
        return WELL if given else WRONG_USAGE
    name, rest = given[0], given[1:]
    if name == "--version":
        name = "version"
    command = COMMANDS.get(name)
    if command is None:
        sys.stderr.write(f"aerocast-agent: no command {name!r}{nearest(name, COMMANDS)}\n")
        sys.stderr.write("Next: 'aerocast-agent --help' lists the commands.\n")
        return WRONG_USAGE
    try:
        status: int = importlib.import_module(command.module).run(rest)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Keep the interpreter from flushing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WELL
    except KeyboardInterrupt:
        return 130
    except SystemExit as stop:  # argparse's way to end: --help or wrong usage
        return stop.code if isinstance(stop.code, int) else WRONG_USAGE
    return status


def nearest(name: str, known: Sequence[str] | dict[str, Command]) -> str:
    """Give ``"; did you mean 'x'?"`` when a known name is close, else an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _overview() -> str:
    lines = [
        "usage: aerocast-agent COMMAND [...]",
        "",
        "The gateway beside a baggage belt: reads its devices, loses nothing, syncs to the hub.",
        "",
    ]
    lines += [f"  {name:<10}{command.help}" for name, command in COMMANDS.items()]
    lines += [
        "",
        "Each takes --help (with an example) and --json.",
        "Example: aerocast-agent config check /etc/aerocast/agent.toml",
    ]
    return "\n".join(lines) + "\n"
