"""Device profiles: how to set up a model of reader, read from ``firmware_configs/*.toml``.

Profiles speak in numbers a person knows (dBm, session); the driver translates them into
the tables the reader itself reports, so one profile serves every firmware of a model.
"""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

FOLDER = Path(__file__).parent / "firmware_configs"
READER_SCHEMA = "llrp.schema.json"


class ProfileError(Exception):
    """A profile cannot be used; the message names the file, the key and what was expected."""


class ReaderProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to set up an RFID reader that speaks LLRP.

    Attributes
    ----------
    vendor, model, region
        Whom the profile is for; ``region`` is the radio law it keeps to.
    power_dbm
        Power at the antenna connector. The reader's nearest step not above it is taken; absent,
        the reader's own setting stays. Mind the law: cable loss and antenna gain count too.
    sensitivity_index
        Of the reader's own table; absent, its own setting stays.
    antennas
        Ports to use, from 1; empty: all.
    rf_mode
        Of the reader's own table of modes; passed over when the reader does not list it.
    session
        Gen2 session: 0 reads a tag again and again, which belts need to find the peak.
    search_mode
        Impinj: whether tags already read answer again. Other makes pass it over.
    tag_population
        Tags expected at once in the field.
    report_every
        Reads gathered in one message.
    keepalive_s
        How often the reader says that it is alive; after two of them missed it counts as lost.
    extras
        Ask Impinj readers for phase, fine RSSI and Doppler.
    only_bag_tags
        Let only tags under AFI C1 answer. Off: other tags are counted, which helps to find out
        why bags are missed: a tag whose AFI is written wrong shows among them.
    """

    kind: Literal["llrp"] = "llrp"
    vendor: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    region: Literal["fcc", "etsi", "japan", "korea", "australia", "any"] = "any"
    power_dbm: Annotated[float, msgspec.Meta(ge=0, le=36)] | None = None
    sensitivity_index: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    antennas: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=256)], ...], msgspec.Meta(max_length=256)
    ] = ()
    rf_mode: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    session: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    search_mode: Literal["reader", "single_target", "dual_target"] = "dual_target"
    tag_population: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 16
    report_every: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    keepalive_s: Annotated[float, msgspec.Meta(ge=0.05, le=3600)] = 10.0
    extras: bool = True
    only_bag_tags: bool = False


ANY_READER = ReaderProfile(vendor="any", model="any")
"""What is used when agent.toml names no profile."""


def profile_names() -> list[str]:
    """Name the profiles that came with the agent."""
    return sorted(each.stem for each in FOLDER.glob("*.toml"))


def load_profile(name: str) -> ReaderProfile:
    """Read a profile that came with the agent.

    Raises
    ------
    ProfileError
        There is none of that name, or it holds a mistake.
    """
    if name not in profile_names():
        known = ", ".join(profile_names())
        raise ProfileError(f"no profile {name!r}; there are: {known}")
    return read_profile(FOLDER / f"{name}.toml")


def read_profile(file: Path) -> ReaderProfile:
    """Read one profile.

    Raises
    ------
    ProfileError
        It cannot be read or holds a mistake; names the file and the key.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"{file.name}: {error}") from error
    try:
        return msgspec.convert(tables, ReaderProfile)
    except msgspec.ValidationError as error:
        raise ProfileError(f"{file.name}: {str(error).replace('`$.', '`')}") from error


def reader_schema() -> str:
    """Give the JSON Schema of reader profiles, as it is kept beside them."""
    schema = msgspec.json.schema(ReaderProfile)
    return (
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2)
        + "\n"
    )
