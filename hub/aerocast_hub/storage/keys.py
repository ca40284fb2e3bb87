"""Keys of objects, ``kind/name``, and how many days each folder of them is kept."""

from collections.abc import Mapping

KINDS = ("archive", "backups", "bundles", "captures", "exports")
"""Folders of the store: past months, the database, diagnostics, IQ and raw bytes, exports."""
LONGEST_KEY = 512  # S3 takes 1024 bytes, with the prefix
LONGEST_DAYS = 36_500


class ObjectError(Exception):
    """The store does not do what was asked; the message names the store, the key and the mend."""


def check_key(key: str) -> None:
    """Refuse what is no key.

    Raises
    ------
    ObjectError
        It is not ``kind/name``.
    """
    parts = key.split("/")
    is_odd = not key.isprintable() or any(part in {"", ".", ".."} for part in parts)
    if is_odd or parts[0] not in KINDS or len(parts) < 2 or len(key.encode()) > LONGEST_KEY:
        raise ObjectError(f"{key[:80]!r} is no key: it is KIND/NAME, of {', '.join(KINDS)}")


def check_folder(folder: str) -> None:
    """Refuse what is neither a kind nor a folder in one.

    Raises
    ------
    ObjectError
        It is neither.
    """
    if folder not in KINDS:
        check_key(folder)


def read_days(text: str) -> Mapping[str, int]:
    """Read how many days the objects of each folder are kept.

    Raises
    ------
    ValueError
        A part of it is not ``FOLDER=DAYS``, 1 to 36,500, or a folder is there twice.
    """
    days: dict[str, int] = {}
    for each in filter(None, (part.strip() for part in text.split(","))):
        folder, _, number = each.partition("=")
        try:
            check_folder(folder)
        except ObjectError as error:
            raise ValueError(f"objects_days: {error}") from error
        if not number.isdecimal() or not 1 <= int(number) <= LONGEST_DAYS:
            raise ValueError(f"objects_days: {each!r} is not FOLDER=DAYS, of 1 to {LONGEST_DAYS}")
        if folder in days:
            raise ValueError(f"objects_days: {folder} is there twice")
        days[folder] = int(number)
    return days


def days_kept(key: str, days: Mapping[str, int]) -> int | None:
    """Give how long an object is kept: as its nearest folder says. None: for ever."""
    folder = key
    while "/" in folder:
        folder = folder.rpartition("/")[0]
        if folder in days:
            return days[folder]
    return None
