"""Read device profiles from ``firmware_configs/*.toml``, or from a file of the site's own."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from aerocast_agent.profiles import (
    AnyProfile,
    Profile,
    ReaderProfile,
    ScannerProfile,
    SdrProfile,
    Transmitter,
    UbloxProfile,
    UhfProfile,
)
from aerocast_agent.radio_law import breaches

P = TypeVar("P", bound=Profile)
FOLDER = Path(__file__).parent / "firmware_configs"
KINDS: dict[str, type[AnyProfile]] = {
    "llrp": ReaderProfile,
    "uhf_serial": UhfProfile,
    "scanner": ScannerProfile,
    "ublox": UbloxProfile,
    "sdr": SdrProfile,
}


class ProfileError(Exception):
    """A profile cannot be used; the message names the file, the key and what was expected."""


def profile_names() -> list[str]:
    """Name the profiles that came with the agent."""
    return sorted(each.stem for each in FOLDER.glob("*.toml"))


def load_profile(name: str, of: type[P]) -> P:
    """Read a profile that came with the agent, or the file at an absolute path.

    Raises
    ------
    ProfileError
        There is none of that name, it holds a mistake, or it is for another kind of device.
    """
    found = find_profile(name)
    if not isinstance(found, of):
        wanted, is_for = of.__struct_config__.tag, found.__struct_config__.tag
        raise ProfileError(f"profile {name} is for {is_for} devices, not for {wanted}")
    return found


def find_profile(name: str) -> AnyProfile:
    """Read a profile of any kind.

    Raises
    ------
    ProfileError
        There is none of that name, or it holds a mistake.
    """
    if Path(name).is_absolute():
        return read_profile(Path(name))
    if name not in profile_names():
        known = ", ".join(profile_names())
        raise ProfileError(f"no profile {name!r}; there are: {known}")
    return read_profile(FOLDER / f"{name}.toml")


def read_profile(file: Path) -> AnyProfile:
    """Read one profile, and hold it to its region's radio law.

    Raises
    ------
    ProfileError
        It cannot be read, holds a mistake or asks for what the law forbids; names file and key.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"{file.name}: {error}") from error
    kind = tables.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ProfileError(f"{file.name}: kind {kind!r}: expected one of {', '.join(KINDS)}")
    try:
        profile = msgspec.convert(tables, KINDS[kind])
    except msgspec.ValidationError as error:
        raise ProfileError(f"{file.name}: {str(error).replace('`$.', '`')}") from error
    if isinstance(profile, Transmitter) and (broken := list(law_breaches(profile))):
        raise ProfileError(f"{file.name}: {'; '.join(broken)}")
    return profile


def law_breaches(profile: Transmitter) -> Iterator[str]:
    """Name what the law of its region forbids of a profile."""
    return breaches(
        profile.region,
        profile.power_dbm,
        profile.antenna_gain_dbi,
        profile.cable_loss_db,
        profile.channels_khz,
    )
