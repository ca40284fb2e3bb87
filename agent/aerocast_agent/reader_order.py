"""What to order from an RFID reader, given what it says it can do. Pure.

Nothing is taken for granted: power indices, hop tables and modes come from the reader's own tables
(they differ by region), and vendor extensions are asked for only where the maker is known.
"""

import zlib

import msgspec
from aerocast_protocols.epc.bag_tag import AFI
from aerocast_protocols.llrp.capabilities import Capabilities, General, Regulatory
from aerocast_protocols.llrp.reader_config import EventType, ReaderConfig
from aerocast_protocols.llrp.rospec import AntennaOrder, Rospec, TagFilter, encode_rospec
from aerocast_protocols.llrp.tag_report import IMPINJ

from aerocast_agent.profiles import ReaderProfile

_AFI_BIT = 0x18  # second byte of the PC word, in bits of the EPC bank
_SEARCH_MODES = {"reader": None, "single_target": 1, "dual_target": 2}
_WANTED = (EventType.GPI, EventType.BUFFER_LEVEL, EventType.EXCEPTION, EventType.ANTENNA)
# LLRP v1.1 §17.2.3.4: communications standard -> our region
_REGIONS = {1: "fcc", 2: "etsi", 3: "etsi", 4: "australia", 5: "australia", 6: "japan", 9: "korea"}


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

    Its id is drawn from its content: a reader that already runs this id need not be disturbed.

    Parameters
    ----------
    extras
        Whether the reader has switched its vendor's extensions on for this session.
    """
    general, regulatory = capabilities.general, capabilities.regulatory
    order = AntennaOrder(
        sensitivity_index=profile.sensitivity_index,
        **_transmitter(profile, regulatory),
        mode_id=_mode(profile, regulatory),
        session=profile.session,
        tag_population=profile.tag_population,
        search_mode=_SEARCH_MODES[profile.search_mode] if extras else None,
        filters=(TagFilter(_AFI_BIT, bytes([AFI])),) if profile.only_bag_tags else (),
    )
    draft = Rospec(
        rospec_id=1,
        antennas=_antennas(profile, general),
        orders=(order,),
        report_every=profile.report_every,
        impinj_extras=extras and profile.extras,
    )
    fingerprint = zlib.crc32(encode_rospec(draft)) & 0x7FFFFFFF
    return msgspec.structs.replace(draft, rospec_id=max(fingerprint, 1))


def doubts(capabilities: Capabilities, profile: ReaderProfile) -> list[str]:
    """Name what the profile asks for and the reader cannot give."""
    found = []
    general, regulatory = capabilities.general, capabilities.regulatory
    if regulatory is not None:
        region = _REGIONS.get(regulatory.communications_standard, "any")
        if "any" not in {region, profile.region} and region != profile.region:
            found.append(f"profile is for region {profile.region}, the reader is set to {region}")
        if profile.rf_mode is not None and _mode(profile, regulatory) is None:
            found.append(f"the reader has no RF mode {profile.rf_mode}: its own is used")
    if general is not None and max(profile.antennas, default=0) > general.max_antennas:
        found.append(f"the reader has {general.max_antennas} antenna ports, not {profile.antennas}")
    return found


def _antennas(profile: ReaderProfile, general: General | None) -> tuple[int, ...]:
    if general is None:
        return profile.antennas or (0,)
    return tuple(port for port in profile.antennas if port <= general.max_antennas) or (0,)


def _mode(profile: ReaderProfile, regulatory: Regulatory | None) -> int | None:
    listed = regulatory.rf_modes if regulatory else ()
    return profile.rf_mode if profile.rf_mode in {mode.mode_id for mode in listed} else None


def _transmitter(profile: ReaderProfile, regulatory: Regulatory | None) -> dict[str, int]:
    """Give power index, hop table and channel: the strongest step the profile allows."""
    if profile.power_dbm is None or regulatory is None or not regulatory.power_levels:
        return {}
    allowed = [
        (power, index)
        for index, power in regulatory.power_levels
        if power <= round(100 * profile.power_dbm)
    ]
    _power, index = max(allowed) if allowed else min((p, i) for i, p in regulatory.power_levels)
    if regulatory.hopping and regulatory.hop_tables:
        table = regulatory.hop_tables[0].hop_table_id
        return {"power_index": index, "hop_table_id": table, "channel_index": 0}
    return {"power_index": index, "hop_table_id": 0, "channel_index": 1}
