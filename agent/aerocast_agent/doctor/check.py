"""What a check comes to."""

from typing import Literal

import msgspec

Result = Literal["well", "doubtful", "failed", "skipped"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at.

    Attributes
    ----------
    check
        What was looked at.
    result
        ``doubtful`` works today and may not tomorrow; ``skipped`` could not be looked at, because
        of a check that failed before it.
    found
        What there was to see.
    mend
        What to do about it; None when all is well.
    """

    check: str
    result: Result
    found: str
    mend: str | None = None


def well(check: str, found: str) -> Check:
    """Say that all is well."""
    return Check(check=check, result="well", found=found)


def doubtful(check: str, found: str, mend: str) -> Check:
    """Say that it works, and why it may not for long."""
    return Check(check=check, result="doubtful", found=found, mend=mend)


def failed(check: str, found: str, mend: str) -> Check:
    """Say that it does not work."""
    return Check(check=check, result="failed", found=found, mend=mend)


def skipped(check: str, why: str) -> Check:
    """Say why it could not be looked at."""
    return Check(check=check, result="skipped", found=why)
