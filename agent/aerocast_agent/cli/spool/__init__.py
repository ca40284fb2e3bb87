"""``aerocast-agent spool ls|export|verify|salvage``: look into what waits for the hub.

All of them only read, whether the daemon runs or not, except ``salvage --into-spool``.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from aerocast_agent.cli import WELL, WRONG_USAGE, nearest


class _Action(NamedTuple):
    module: str
    help: str


ACTIONS = {
    "ls": _Action("listing", "the batches that wait, one a line"),
    "export": _Action("export", "every stored observation, as JSON lines or into a database"),
    "verify": _Action("verify", "is every stored batch what was written?"),
    "salvage": _Action("salvage", "get what is whole out of a damaged spool file"),
}


def run(arguments: Sequence[str]) -> int:
    """Run one of the actions."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        (sys.stdout if arguments else sys.stderr).write(_overview())
        return WELL if arguments else WRONG_USAGE
    action = ACTIONS.get(arguments[0])
    if action is None:
        close = nearest(arguments[0], list(ACTIONS))
        sys.stderr.write(f"aerocast-agent spool: no action {arguments[0]!r}{close}\n")
        sys.stderr.write("Next: 'aerocast-agent spool --help' lists them.\n")
        return WRONG_USAGE
    module = importlib.import_module(f"aerocast_agent.cli.spool.{action.module}")
    status: int = module.run(arguments[1:])
    return status


def _overview() -> str:
    lines = [
        "usage: aerocast-agent spool ACTION [...]",
        "",
        "Look into the observations that wait on disk for the hub. Safe while the daemon runs.",
        "",
        *(f"  {name:<9}{action.help}" for name, action in ACTIONS.items()),
        "",
        "Each takes --help (with an example) and --json.",
        "Example: aerocast-agent spool ls --lane critical",
    ]
    return "\n".join(lines) + "\n"
