"""What a device profile may say: one struct a kind of device.

Profiles speak in numbers a person knows (dBm, session); the driver translates them into what the
device itself understands, so one profile serves every firmware of a model. `profile_files` reads
them from ``firmware_configs/*.toml``.
"""

from typing import Annotated, Literal

import msgspec

from aerocast_agent.driver import Setting

Region = Literal["fcc", "etsi", "etsi_upper", "japan", "korea", "australia", "any"]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Ports = Annotated[
    tuple[Annotated[int, msgspec.Meta(ge=1, le=256)], ...], msgspec.Meta(max_length=256)
]
Channels = Annotated[
    tuple[Annotated[int, msgspec.Meta(ge=840_000, le=960_000)], ...], msgspec.Meta(max_length=256)
]
Constellation = Literal["gps", "galileo", "glonass", "beidou", "qzss", "sbas"]
Sentence = Literal["GGA", "GLL", "GSA", "GSV", "RMC", "VTG", "ZDA"]
Motion = Literal["portable", "stationary", "pedestrian", "automotive", "at_sea", "airborne_1g"]


class Profile(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    """What every profile says.

    Attributes
    ----------
    vendor, model
        Whom the profile is for, in the maker's words.
    """

    vendor: Label
    model: Label

    def wanted(self) -> dict[str, Setting]:
        """Give what it asks of the device, by key; keys left out leave the device as it is."""
        said = {name: getattr(self, name) for name in self.__struct_fields__}
        return {
            name: setting
            for name, setting in said.items()
            if name not in _NO_SETTINGS and setting is not None and setting != ()
        }


_NO_SETTINGS = {"vendor", "model", "region", "antenna_gain_dbi", "cable_loss_db"}


class Transmitter(Profile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a profile says of a device that transmits, and is therefore held to radio law.

    Attributes
    ----------
    region
        The radio law it keeps to: ``etsi`` is EN 302 208 at 865-868 MHz, ``etsi_upper`` the same
        at 915-921 MHz (not in every country), ``fcc`` is 47 CFR 15.247 at 902-928 MHz. Power and
        channels are held to these; those of other regions are for you to know.
    power_dbm
        Power at the antenna connector. The reader's nearest step not above it is taken; absent,
        the reader's own setting stays.
    antenna_gain_dbi
        Of the strongest antenna connected, linear: of a circular antenna its dBic less 3 dB. What
        the law limits is radiated power, so ``power_dbm`` needs it under ETSI and FCC.
    cable_loss_db
        Of the shortest antenna cable.
    channels_khz
        Centres of the channels to use; empty: the reader's own plan for its region.
    antennas
        Ports to use, from 1; empty: all.
    """

    region: Region = "any"
    power_dbm: Annotated[float, msgspec.Meta(ge=0, le=36)] | None = None
    antenna_gain_dbi: Annotated[float, msgspec.Meta(ge=-20, le=20)] | None = None
    cable_loss_db: Annotated[float, msgspec.Meta(ge=0, le=30)] = 0.0
    channels_khz: Channels = ()
    antennas: Ports = ()


class ReaderProfile(Transmitter, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="llrp"):
    """An RFID reader that speaks LLRP.

    Attributes
    ----------
    sensitivity_index
        Of the reader's own table; absent, its own setting stays.
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

    sensitivity_index: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    rf_mode: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    session: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    search_mode: Literal["reader", "single_target", "dual_target"] = "dual_target"
    tag_population: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 16
    report_every: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    keepalive_s: Annotated[float, msgspec.Meta(ge=0.05, le=3600)] = 10.0
    extras: bool = True
    only_bag_tags: bool = False


class UhfProfile(
    Transmitter, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="uhf_serial"
):
    """A UHF module on a serial line.

    Attributes
    ----------
    session
        Gen2 session; absent, the module's own setting stays.
    q
        Gen2 slot count 2^q at the start of a round: about twice as many slots as tags expected.
    """

    session: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None
    q: Annotated[int, msgspec.Meta(ge=0, le=15)] | None = None


class ScannerProfile(Profile, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="scanner"):
    """How to program a barcode scanner over its own line.

    Attributes
    ----------
    dialect
        How it takes commands: ``honeywell`` menu commands (``PAPHHF0.``), ``dmcc`` of Cognex
        DataMan, ``cola_a`` of SICK.
    settings
        The maker's name of each setting -> its value, both as in the maker's manual.
    """

    dialect: Literal["honeywell", "dmcc", "cola_a"]
    settings: Annotated[
        dict[
            Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._ -]{1,64}$")],
            Annotated[str, msgspec.Meta(pattern="^[ -~]{0,64}$")],
        ],
        msgspec.Meta(max_length=64),
    ]

    def wanted(self) -> dict[str, Setting]:
        """Give the maker's settings, by the maker's names."""
        return dict(self.settings)


class UbloxProfile(Profile, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ublox"):
    """A u-blox GNSS receiver of generation 9 or 10, set by its configuration items.

    Attributes
    ----------
    measurement_ms
        Time between fixes.
    motion
        How the gateway moves: ``stationary`` on a wall; ``automotive`` on a tug.
    constellations
        Which satellites to use; empty: the receiver's own choice.
    sentences
        Which NMEA sentences to send, on every port of the receiver; empty: its own choice.
    lowest_elevation_deg
        Satellites below it are left out: buildings reflect them.
    """

    measurement_ms: Annotated[int, msgspec.Meta(ge=25, le=65535)] | None = None
    motion: Motion | None = None
    constellations: Annotated[tuple[Constellation, ...], msgspec.Meta(max_length=6)] = ()
    sentences: Annotated[tuple[Sentence, ...], msgspec.Meta(max_length=7)] = ()
    lowest_elevation_deg: Annotated[int, msgspec.Meta(ge=0, le=90)] | None = None


class SdrProfile(Profile, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="sdr"):
    """A dongle that hears aircraft. What agent.toml says of the device itself counts before it.

    Attributes
    ----------
    gain_db
        Of the tuner; ``auto`` leaves it to the tuner itself.
    ppm
        How far its crystal is off, parts per million.
    rate
        Samples a second.
    """

    gain_db: Annotated[float, msgspec.Meta(ge=0, le=100)] | Literal["auto"] | None = None
    ppm: Annotated[int, msgspec.Meta(ge=-200, le=200)] | None = None
    rate: Literal[2_000_000, 2_400_000] | None = None


AnyProfile = ReaderProfile | UhfProfile | ScannerProfile | UbloxProfile | SdrProfile
ANY_READER = ReaderProfile(vendor="any", model="any")
"""What is used when agent.toml names no profile."""
