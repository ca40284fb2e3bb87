"""``aerocast-agent spool verify``: see that the file is whole and each batch what was written."""

import sys
from collections.abc import Sequence
from contextlib import closing

import msgspec

from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.cli.spool.source import opened, parser_of, path_of
from aerocast_agent.spool_verify import findings


def run(arguments: Sequence[str]) -> int:
    """Verify; exit status 1 when something is not as it was written."""
    parser = parser_of(
        "verify",
        "Read every page and every batch, and name what is not as it was written. Reads only; "
        "takes as long as the disk takes to read the file once.",
        "--json",
    )
    options = parser.parse_args(arguments)
    path = path_of(options)
    if path is None:
        return WRONG_USAGE
    db = opened(path)
    if db is None:
        return REFUSED
    bad = 0
    with closing(db):
        for finding in findings(db):
            bad += not finding.well
            sys.stdout.write(
                msgspec.json.encode(finding).decode() + "\n"
                if options.json
                else f"{'well' if finding.well else 'BAD ':<6}{finding.what}: {finding.found}\n"
            )
    if bad:
        sys.stderr.write(
            "Next: what is damaged is set aside by the daemon when it comes to send it, and the "
            f"hub is told; 'aerocast-agent spool salvage {path}' gets out what is whole.\n"
        )
    return REFUSED if bad else WELL
