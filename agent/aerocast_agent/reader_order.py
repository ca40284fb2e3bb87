"""What to order from an RFID reader, given what it says it can do. Pure.

Nothing is taken for granted: power indices, hop tables, channels and modes come from the reader's
own tables (they differ by region), vendor extensions are asked for only where the maker is known,
and a profile of one region is never put on the air in another.
"""

import zlib
from collections.abc import Collection, Iterator

import msgspec
from aerocast_protocols.epc.bag_tag import AFI
from aerocast_protocols.llrp.antenna_order import AntennaOrder, TagFilter
from aerocast_protocols.llrp.capabilities import Capabilities, General
from aerocast_protocols.llrp.reader_config import EventType, ReaderConfig
from aerocast_protocols.llrp.regulatory import Regulatory
from aerocast_protocols.llrp.rospec import NULL, Rospec, encode_rospec
from aerocast_protocols.llrp.tag_report import IMPINJ

from aerocast_agent.driver import Fault
from aerocast_agent.profiles import ReaderProfile
from aerocast_agent.radio_law import LAWS, strongest_dbm

ONLY_BAG_TAGS = TagFilter(0x18, bytes([AFI]))  # the PC word's second byte, in bits of the EPC bank
SEARCH_MODES = {"single_target": 1, "dual_target": 2}
_WANTED = (
    EventType.GPI,
    EventType.ROSPEC,
    EventType.BUFFER_LEVEL,
    EventType.EXCEPTION,
    EventType.ANTENNA,
)
# LLRP v1.1 §17.2.3.4: communications standard -> the region it is for
_REGIONS = {1: "fcc", 2: "etsi", 3: "etsi", 4: "australia", 5: "australia", 6: "japan", 9: "korea"}
_UPPER_BAND_KHZ = 900_000


def is_impinj(capabilities: Capabilities) -> bool:
    """Say whether the reader knows Impinj's extensions."""
    return capabilities.general is not None and capabilities.general.manufacturer == IMPINJ


def config_for(capabilities: Capabilities, profile: ReaderProfile) -> ReaderConfig:
    """Give the session's settings: keepalives, which events, hold reports while we are away."""
    gpis = capabilities.general.gpis if capabilities.general else 0
    holds = capabilities.limits is not None and capabilities.limits.holds_reports
    return ReaderConfig(
        keepalive_ms=round(profile.keepalive_s * 1000),
        hold_reports=True if holds else None,
        events=tuple((int(event), True) for event in _WANTED if gpis or event != EventType.GPI),
        gpis=tuple(range(1, gpis + 1)),
    )


def rospec_for(capabilities: Capabilities, profile: ReaderProfile, *, extras: bool) -> Rospec:
    """Give the order.

    Its id is drawn from its content: a reader that already runs this id need not be disturbed. It
    waits to be started, which all readers understand alike.

    Parameters
    ----------
    extras
        Whether the reader has switched its vendor's extensions on for this session.
    """
    order = AntennaOrder(
        sensitivity_index=_sensitivity(profile, capabilities.general),
        mode_id=_mode(profile, capabilities.regulatory),
        session=profile.session,
        tag_population=profile.tag_population,
        search_mode=SEARCH_MODES.get(profile.search_mode) if extras else None,
        filters=(ONLY_BAG_TAGS,) if profile.only_bag_tags and _filters(capabilities) else (),
    )
    regulatory = capabilities.regulatory
    if regulatory is not None and _lawful(profile, regulatory):
        order = _on_air(order, profile, regulatory, extras=extras)
    return numbered(
        Rospec(
            rospec_id=1,
            start=NULL,
            antennas=_antennas(profile, capabilities.general),
            orders=(order,),
            report_every=profile.report_every,
            impinj_extras=extras and profile.extras,
        )
    )


def plain(order: Rospec) -> Rospec:
    """Give the same order without what a reader may not know: for one that refused it."""
    kept = tuple(
        AntennaOrder(
            antenna=each.antenna,
            power_index=each.power_index,
            hop_table_id=each.hop_table_id,
            channel_index=each.channel_index,
        )
        for each in order.orders
        if each.power_index is not None
    )
    return numbered(msgspec.structs.replace(order, orders=kept, impinj_extras=False))


def numbered(order: Rospec) -> Rospec:
    """Give an order the id that is drawn from its content."""
    draft = msgspec.structs.replace(order, rospec_id=1)
    fingerprint = zlib.crc32(encode_rospec(draft)) & 0x7FFFFFFF
    return msgspec.structs.replace(draft, rospec_id=max(fingerprint, 1))


def doubts(capabilities: Capabilities, profile: ReaderProfile) -> list[Fault]:
    """Name what the profile asks for and the reader cannot give, and what is done instead."""
    found = list(_general_doubts(capabilities, profile))
    regulatory = capabilities.regulatory
    if regulatory is not None:
        if _lawful(profile, regulatory):
            found += _radio_doubts(profile, regulatory, extras=is_impinj(capabilities))
        else:
            found.append(
                Fault(
                    found=f"the profile is for region {profile.region}, the reader is set to"
                    f" {region_of(regulatory)}: its own power and channels are used",
                    mend="name a profile of the reader's region, or set the reader to this one",
                )
            )
    return found


def power_index(regulatory: Regulatory, power_dbm: float) -> int | None:
    """Give the reader's strongest step not above a power; None when all are above it."""
    allowed = [
        (power, index)
        for index, power in regulatory.power_levels
        if power <= round(100 * power_dbm)
    ]
    return max(allowed)[1] if allowed else None


def channel_indices(regulatory: Regulatory, channels_khz: Collection[object]) -> tuple[int, ...]:
    """Give the reader's numbers of those channels that it has, where the law fixes channels."""
    return tuple(
        place
        for place, khz in enumerate(regulatory.fixed_frequencies_khz, 1)
        if khz in channels_khz
    )


def _general_doubts(capabilities: Capabilities, profile: ReaderProfile) -> Iterator[Fault]:
    general = capabilities.general
    if general is not None and max(profile.antennas, default=0) > general.max_antennas:
        yield Fault(
            found=f"the reader has {general.max_antennas} antenna ports, not {profile.antennas}",
            mend="take the others out of the profile's antennas",
        )
    if _sensitivity(profile, general) != profile.sensitivity_index:
        yield Fault(
            found=f"the reader has no sensitivity {profile.sensitivity_index}: its own is used",
            mend="set sensitivity_index to one that it lists, or leave it out",
        )
    if profile.only_bag_tags and not _filters(capabilities):
        yield Fault(
            found="the reader cannot filter tags: all are reported",
            mend="nothing to do: other tags are sorted out here",
        )


def _radio_doubts(
    profile: ReaderProfile, regulatory: Regulatory, *, extras: bool
) -> Iterator[Fault]:
    if profile.rf_mode is not None and _mode(profile, regulatory) is None:
        modes = ", ".join(str(mode.mode_id) for mode in regulatory.rf_modes)
        yield Fault(
            found=f"the reader has no RF mode {profile.rf_mode}: its own is used",
            mend=f"set rf_mode to one that it has ({modes}), or leave it out",
        )
    limit_dbm = _limit_dbm(profile)
    if limit_dbm is not None and power_index(regulatory, limit_dbm) is None:
        least_dbm = min((power for _, power in regulatory.power_levels), default=0) / 100
        yield Fault(
            found=f"the reader cannot send as low as {limit_dbm:g} dBm: {least_dbm:g} dBm is used",
            mend="mind the law: put a longer cable or an attenuator between, or raise power_dbm",
        )
    missing = set(profile.channels_khz).difference(regulatory.fixed_frequencies_khz)
    if missing and not regulatory.hopping:
        yield Fault(
            found=f"the reader has no channels at {sorted(missing)} kHz",
            mend=f"it has these: {', '.join(map(str, regulatory.fixed_frequencies_khz))}",
        )
    elif profile.channels_khz and regulatory.hopping:
        yield Fault(
            found="the reader hops by its own plan: channels_khz is passed over",
            mend="leave channels_khz out of the profile",
        )
    elif len(profile.channels_khz) > 1 and not extras:
        yield Fault(
            found="the reader takes one channel of channels_khz, the first",
            mend="name one channel",
        )


def _antennas(profile: ReaderProfile, general: General | None) -> tuple[int, ...]:
    if general is None:
        return profile.antennas or (0,)
    return tuple(port for port in profile.antennas if port <= general.max_antennas) or (0,)


def _sensitivity(profile: ReaderProfile, general: General | None) -> int | None:
    """Give the profile's choice, unless the reader lists its sensitivities and not this one."""
    listed = {index for index, _ in general.sensitivities} if general else set()
    return profile.sensitivity_index if profile.sensitivity_index in listed or not listed else None


def _mode(profile: ReaderProfile, regulatory: Regulatory | None) -> int | None:
    listed = regulatory.rf_modes if regulatory else ()
    return profile.rf_mode if profile.rf_mode in {mode.mode_id for mode in listed} else None


def _filters(capabilities: Capabilities) -> bool:
    return capabilities.gen2 is None or capabilities.gen2.max_filters > 0


def region_of(regulatory: Regulatory) -> str:
    """Give the region a reader is set to; ``any`` when it does not say, or none we know."""
    region = _REGIONS.get(regulatory.communications_standard, "any")
    if region == "etsi" and min(_frequencies_khz(regulatory), default=0) > _UPPER_BAND_KHZ:
        return "etsi_upper"
    return region


def _frequencies_khz(regulatory: Regulatory) -> tuple[int, ...]:
    if not regulatory.hopping:
        return regulatory.fixed_frequencies_khz
    return tuple(khz for table in regulatory.hop_tables for khz in table.frequencies_khz)


def _lawful(profile: ReaderProfile, regulatory: Regulatory) -> bool:
    """Say whether the reader is set to the profile's region, by its word and by its channels."""
    region = region_of(regulatory)
    if "any" not in {region, profile.region} and region != profile.region:
        return False
    law = LAWS.get(profile.region)
    if law is None:
        return True
    first_khz, last_khz = law.band_khz
    return all(first_khz <= khz <= last_khz for khz in _frequencies_khz(regulatory))


def _limit_dbm(profile: ReaderProfile) -> float | None:
    """Give the power to ask for: the profile's, and never more than its region's law allows."""
    if profile.power_dbm is None or profile.antenna_gain_dbi is None:
        return profile.power_dbm
    by_law = strongest_dbm(profile.region, profile.antenna_gain_dbi, profile.cable_loss_db)
    return profile.power_dbm if by_law is None else min(profile.power_dbm, by_law)


def _on_air(
    order: AntennaOrder, profile: ReaderProfile, regulatory: Regulatory, *, extras: bool
) -> AntennaOrder:
    """Set power and channels, as far as the profile says anything of them."""
    channels = () if regulatory.hopping else channel_indices(regulatory, profile.channels_khz)
    limit_dbm = _limit_dbm(profile)
    says_so = limit_dbm is not None or bool(channels)
    chooses = says_so and extras and bool(regulatory.fixed_frequencies_khz)
    if limit_dbm is not None and regulatory.power_levels:
        index = power_index(regulatory, limit_dbm)
        least = min((power, index) for index, power in regulatory.power_levels)[1]
        first_hop = regulatory.hop_tables[0].hop_table_id if regulatory.hop_tables else 0
        order = msgspec.structs.replace(
            order,
            power_index=least if index is None else index,
            hop_table_id=first_hop if regulatory.hopping else 0,
            channel_index=0 if regulatory.hopping else min(channels, default=1),
        )
    if chooses and not regulatory.hopping:
        order = msgspec.structs.replace(order, channels=channels)
    return order
