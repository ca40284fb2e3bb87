import time

import pytest
from aerocast_hub.auth.passwords import LONGEST, Passwords, is_outdated


async def test_a_password_fits_its_hash_and_no_other_does():
    passwords = Passwords()
    kept = await passwords.hash("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.is_right("correct horse battery", kept)
    assert not await passwords.is_right("correct horse batterx", kept)
    assert not await passwords.is_right("", kept)
    assert not await passwords.is_right("x", "no hash at all")


async def test_nothing_fits_an_account_that_does_not_exist_and_it_takes_as_long():
    passwords = Passwords()
    kept = await passwords.hash("correct horse battery")
    await passwords.is_right("warm up", None)

    async def took_s(password_hash):
        started_s = time.process_time()
        assert not await passwords.is_right("wrong horse battery", password_hash)
        return time.process_time() - started_s

    pairs = [(await took_s(kept), await took_s(None)) for _ in range(5)]
    known, unknown = (min(times) for times in zip(*pairs, strict=True))
    # The least of five is the work itself; a lookup alone would be a thousand times faster.
    assert unknown > known / 3
    assert known > unknown / 3


@pytest.mark.parametrize("password", ["", "eleven char", "x" * (LONGEST + 1)])
async def test_a_short_or_endless_password_is_refused(password):
    with pytest.raises(ValueError, match="12 to 1024 characters"):
        await Passwords().hash(password)


def test_a_hash_of_other_parameters_is_outdated():
    weak = "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
    assert is_outdated(weak)
