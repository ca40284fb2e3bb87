"""`make check`: no secret is committed.

A scan of our own, forty lines: the usual tools report every hash of the lock files, golden capture
and test vector of this repository, and a list of a thousand exceptions is read by nobody. It looks
for the forms real secrets have. A line that must look like one says why it is none: ``no secret:``.

    python .ci/secrets_scan.py FILE...
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

FORMS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "an AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})"),
    "a Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
    "a Google key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a token for PyPI": re.compile(r"\bpypi-[A-Za-z0-9_-]{50,}"),
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
    "a password in an address": re.compile(
        r"\b[a-z][a-z0-9+]*://[^\s:/@'\"{}<>$]+:([^\s:/@'\"{}<>$]{12,})@"
    ),
    "a secret given a value": re.compile(
        r"(?i)\b(?:secret|api|access|signing|private|data)_?keys?\b['\"]?\s*[:=]\s*"
        r"['\"]([A-Za-z0-9+/_=-]{32,})['\"]"
    ),
}
EXCUSED = "no secret:"
LARGEST_BYTES = 2_000_000


def secrets_in(text: str) -> Iterator[tuple[int, str]]:
    """Give the number of every line with something of a secret's form, and which."""
    for number, line in enumerate(text.splitlines(), 1):
        if EXCUSED in line:
            continue
        for what, form in FORMS.items():
            if form.search(line):
                yield number, what


def main(files: Sequence[str]) -> int:
    """Scan files; 1 when one holds something of a secret's form."""
    found = 0
    for name in files:
        path = Path(name)
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            continue
        for number, what in secrets_in(path.read_text(encoding="utf-8", errors="replace")):
            print(f"{name}:{number}: looks like {what}", file=sys.stderr)  # noqa: T201  a command's own output
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
