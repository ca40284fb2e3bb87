"""Surnames as compared: people, tickets and tags write one name in several ways."""

import hmac
import unicodedata


def surname_key(surname: str) -> str:
    """Write a surname in upper case letters without accents: ``Müller-Roy`` is ``MULLERROY``."""
    spelled = unicodedata.normalize("NFKD", surname.upper().replace("ß", "SS"))
    return "".join(each for each in spelled if each.isalpha())


def is_same_surname(key: str, surname: str) -> bool:
    """Say whether ``surname`` is the one kept as ``key``, in a time that tells nothing of it."""
    said = surname_key(surname[:200])
    return hmac.compare_digest(key.encode(), said.encode()) and bool(said)
