"""Passwords: hashed with argon2id, never in the event loop, never all at once.

Parameters are OWASP's minimum for argon2id (19 MiB, 2 passes, 1 lane): a login costs about 35 ms of
one core. The library's own default takes four times as long, and logins arrive in shifts.
"""

import asyncio
import re
import secrets

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 1024
PIN = re.compile(r"[0-9]{6,12}")
# Each hash holds 19 MiB while it runs; more at once than this only queue for the same cores.
AT_ONCE = 4

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)


class Passwords:
    """Hashes and checks passwords in threads, a few at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Hash a new password.

        Raises
        ------
        ValueError
            It is shorter than ``SHORTEST`` or longer than ``LONGEST`` characters.
        """
        refuse_unfit(password)
        async with self._turn:
            return await asyncio.to_thread(_hasher.hash, password)

    async def hash_pin(self, pin: str) -> str:
        """Hash a new PIN. It is short, so it is only ever asked for together with a badge.

        Raises
        ------
        ValueError
            It is not 6 to 12 digits, or all the same one.
        """
        if not PIN.fullmatch(pin) or len(set(pin)) == 1:
            raise ValueError("a PIN has 6 to 12 digits, not all the same")
        async with self._turn:
            return await asyncio.to_thread(_hasher.hash, pin)

    async def is_right(self, password: str, password_hash: str | None) -> bool:
        """Check a password; the same work is done when there is nothing to check it against.

        Parameters
        ----------
        password_hash
            None for an account that does not exist: the answer is then False, as late as any other.
        """
        async with self._turn:
            if self._decoy is None:
                self._decoy = await asyncio.to_thread(_hasher.hash, secrets.token_urlsafe())
            fits = await asyncio.to_thread(_verify, password_hash or self._decoy, password)
        return fits and password_hash is not None


def refuse_unfit(password: str) -> None:
    """Refuse a password nobody should be given.

    Raises
    ------
    ValueError
        It is shorter than ``SHORTEST`` or longer than ``LONGEST`` characters.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} to {LONGEST} characters, not {len(password)}")


def is_outdated(password_hash: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
