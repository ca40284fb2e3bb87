"""Passwords: hashed with argon2id, never in the event loop, never all at once.

Parameters are OWASP's minimum for argon2id (19 MiB, 2 passes, 1 lane): a login costs about 35 ms of
one core. The library's own default takes four times as long, and logins arrive in shifts.
"""

import asyncio
import logging
import os
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from aerocast_hub.auth.accounts.password_list import is_listed
from aerocast_hub.auth.accounts.password_policy import LONGEST, weakness

_log = logging.getLogger(__name__)

PIN = re.compile(r"[0-9]{6,12}")
# Each hash holds 19 MiB and a core while it runs: one core is left to everybody else.
AT_ONCE = max(1, min(4, (os.cpu_count() or 1) - 1))
NICENESS = 10

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)


def _give_way() -> None:
    """Let whatever else this machine does go first: a hash has no hurry, an answer has."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)  # Linux: of one thread


_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords", initializer=_give_way)
_Result = TypeVar("_Result")


class Passwords:
    """Hashes and checks passwords, in ``AT_ONCE`` threads for the whole process.

    Parameters
    ----------
    known
        The operator's list of passwords nobody should have, for where people choose their own.
    """

    def __init__(self, known: Path | None = None) -> None:
        self._known = known

    async def hash(self, password: str, about: Sequence[str] = ()) -> str:
        """Hash a new password.

        Parameters
        ----------
        about
            Words it must not be made of: the account's name.

        Raises
        ------
        ValueError
            Nobody should have this password; the text says why.
        """
        why_not = await _in_turn(
            lambda: weakness(password, about) or _listed(password, self._known)
        )
        if why_not is not None:
            raise ValueError(why_not)
        return await _in_turn(lambda: _hasher.hash(password))

    async def hash_again(self, password: str) -> str:
        """Hash a password that was right, with today's parameters."""
        return await _in_turn(lambda: _hasher.hash(password))

    async def hash_pin(self, pin: str) -> str:
        """Hash a new PIN. It is short, so it is only ever asked for together with a badge.

        Raises
        ------
        ValueError
            It is not 6 to 12 digits, or all the same one.
        """
        if not PIN.fullmatch(pin) or len(set(pin)) == 1:
            raise ValueError("a PIN has 6 to 12 digits, not all the same")
        return await _in_turn(lambda: _hasher.hash(pin))

    async def is_right(self, password: str, password_hash: str | None) -> bool:
        """Check a password; the same work is done when there is nothing to check it against.

        Parameters
        ----------
        password_hash
            None for an account that does not exist: the answer is then False, as late as any other.
        """
        decoy = await _in_turn(_decoy)
        against = password_hash or decoy
        fits = await _in_turn(lambda: _verify(against, password))
        return fits and password_hash is not None


@cache
def _decoy() -> str:
    """Give the hash of a password nobody has; made once a process, as costly as any other."""
    return _hasher.hash(secrets.token_urlsafe())


def is_outdated(password_hash: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


async def _in_turn(work: Callable[[], _Result]) -> _Result:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False


def _listed(password: str, known: Path | None) -> str | None:
    """Say why a password cannot be taken; without its list the hub takes none."""
    try:
        if known is None or not is_listed(password, known):
            return None
    except OSError as error:
        _log.error("password_list cannot be read, and nobody can choose a password: %s", error)
        return "new passwords cannot be taken at the moment: tell an administrator"
    return "this password is on the list of those that are known to others"
