"""`make audit`: known vulnerabilities in what the locks pin, and nothing passed over in silence.

pip-audit skips a package it cannot look up and ends well all the same. Here a package that was not
looked up is a failure, and so is one of the lock that its report does not name.

    python .ci/audit.py requirements.lock requirements-smartcard.lock
"""

import json
import re
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from packaging.markers import Marker  # pip-audit brings it

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_APART = re.compile(r"[-_.]+")


def pinned(locks: Sequence[str]) -> set[str]:
    """Give the names of the packages that lock files pin, as PyPI writes them (PEP 503)."""
    return {_normal(name) for lock in locks for name in _PIN.findall(lock)}


def faults_of(report: Mapping[str, object], wanted: Collection[str]) -> list[str]:
    """Say what is wrong: a known vulnerability, a package not looked up, one not mentioned.

    Parameters
    ----------
    report
        What ``pip-audit --format json`` wrote.
    wanted
        Names of the packages that must have been looked at.
    """
    listed = report.get("dependencies")
    if not isinstance(listed, list):
        return ["pip-audit gave no report"]
    faults, seen = [], set()
    for each in listed:
        name = _normal(str(each.get("name", "")))
        seen.add(name)
        if "skip_reason" in each:
            faults.append(f"{name}: not looked up: {each['skip_reason']}")
        for found in each.get("vulns", []):
            mend = ", ".join(found.get("fix_versions", [])) or "no version yet"
            faults.append(f"{name} {each.get('version')}: {found['id']}, mended in {mend}")
    missing = sorted(set(wanted) - seen)
    return faults + [f"{name}: pinned, and the report does not name it" for name in missing]


def _normal(name: str) -> str:
    return _APART.sub("-", name).lower()


def _applies(lock: str) -> str:
    """Leave out pins for other systems and Pythons than these: their markers say so."""
    return "\n".join(line for line in lock.splitlines() if not _is_elsewhere(line))


def _is_elsewhere(line: str) -> bool:
    marker = line.partition(";")[2].strip(" \\")
    return bool(marker) and not Marker(marker).evaluate()


def main(files: Sequence[str]) -> int:
    """Run pip-audit over the lock files; 1 when anything is wrong."""
    command = [
        "pip-audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off",
        "--format", "json", *(word for file in files for word in ("-r", file)),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own words
    try:
        report = json.loads(ran.stdout)
    except json.JSONDecodeError:
        print(ran.stderr.strip() or "pip-audit said nothing", file=sys.stderr)  # noqa: T201  a command's own output
        return 1
    wanted = pinned([_applies(Path(file).read_text(encoding="utf-8")) for file in files])
    faults = faults_of(report, wanted)
    for each in faults:
        print(each, file=sys.stderr)  # noqa: T201  likewise
    if not faults:
        print(f"audit: {len(wanted)} packages looked up, nothing known against them")  # noqa: T201  likewise
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
