"""An RFID reader's settings in a profile's terms, both ways, and what it says of itself. Pure."""

from collections.abc import Iterator

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp.antenna_order import AntennaOrder
from aerocast_protocols.llrp.capabilities import Capabilities
from aerocast_protocols.llrp.reader_config import ReaderConfig
from aerocast_protocols.llrp.reader_settings import ReaderSettings
from aerocast_protocols.llrp.regulatory import Regulatory
from aerocast_protocols.llrp.rospec import NULL, Rospec

from aerocast_agent.driver import Fact, Fault, ProbeReport, Setting, Settings
from aerocast_agent.profiles import ReaderProfile
from aerocast_agent.reader_order import (
    ONLY_BAG_TAGS,
    SEARCH_MODES,
    channel_indices,
    doubts,
    numbered,
    power_index,
    region_of,
)

HOT_C = 70  # above it, readers lower their power or stop
_VENDORS = {161: "Zebra", 24831: "Sirit", 25882: "Impinj"}


def settings_of(
    capabilities: Capabilities, told: ReaderSettings | None, running: Rospec | None
) -> dict[str, Setting]:
    """Give a reader's settings by a profile's keys; those that differ by antenna are left out.

    Parameters
    ----------
    told
        The reader's own settings, where it tells them.
    running
        The inventory that runs; what it says counts before the reader's own settings.
    """
    found: dict[str, Setting] = {}
    if told is not None and told.keepalive_ms is not None:
        found["keepalive_s"] = told.keepalive_ms / 1000
    orders = told.orders if told is not None else ()
    if running is not None:
        orders = running.orders or orders
        found["antennas"] = tuple(port for port in running.antennas if port)
        found["report_every"] = running.report_every
        found["extras"] = running.impinj_extras
        found["only_bag_tags"] = bool(orders) and all(ONLY_BAG_TAGS in o.filters for o in orders)
    regulatory = capabilities.regulatory or Regulatory()
    found["region"] = region_of(regulatory)
    alike = [dict(_of_antenna(order, regulatory)) for order in orders]
    return found | {
        key: setting
        for key, setting in (alike[0] if alike else {}).items()
        if all(each.get(key) == setting for each in alike)
    }


def _of_antenna(order: AntennaOrder, regulatory: Regulatory) -> Iterator[tuple[str, Setting]]:
    powers = dict(regulatory.power_levels)
    if order.power_index in powers:
        yield "power_dbm", powers[order.power_index] / 100
    if order.sensitivity_index is not None:
        yield "sensitivity_index", order.sensitivity_index
    if order.mode_id is not None:
        yield "rf_mode", order.mode_id
    if order.session is not None:
        yield "session", order.session
        yield "tag_population", order.tag_population
    if order.search_mode is not None:
        names = {number: name for name, number in SEARCH_MODES.items()}
        yield "search_mode", names.get(order.search_mode, "reader")
    if order.channels is not None:
        khz = regulatory.fixed_frequencies_khz
        yield "channels_khz", tuple(khz[at - 1] for at in order.channels if 1 <= at <= len(khz))


def changed(
    capabilities: Capabilities,
    told: ReaderSettings | None,
    running: Rospec | None,
    settings: Settings,
    *,
    extras: bool,
) -> tuple[ReaderConfig, Rospec | None]:
    """Give what to write so that a reader has these settings: its own, and the inventory that runs.

    Raises
    ------
    ProtocolError
        The reader does not have one of them; the message names it.
    """
    regulatory = capabilities.regulatory or Regulatory()
    change = dict(_changes(regulatory, settings, extras=extras))
    own = (told.orders if told is not None else ()) or (AntennaOrder(),)
    keepalive_s = settings.get("keepalive_s")
    config = ReaderConfig(
        keepalive_ms=round(keepalive_s * 1000) if isinstance(keepalive_s, int | float) else None,
        orders=tuple(msgspec.structs.replace(order, **change) for order in own) if change else (),
    )
    if running is None:
        return config, None
    filters = _filters(settings.get("only_bag_tags"))
    orders = tuple(
        msgspec.structs.replace(order, **change, **filters)
        for order in running.orders or (AntennaOrder(),)
    )
    whole: dict[str, object] = {"orders": orders, "start": NULL}
    if "antennas" in settings:
        whole["antennas"] = settings["antennas"] or (0,)
    if "report_every" in settings:
        whole["report_every"] = settings["report_every"]
    if "extras" in settings:
        whole["impinj_extras"] = extras and settings["extras"]
    return config, numbered(msgspec.structs.replace(running, **whole))


def _changes(
    regulatory: Regulatory, settings: Settings, *, extras: bool
) -> Iterator[tuple[str, object]]:
    plain = {"sensitivity_index", "session", "tag_population"}
    yield from ((key, setting) for key, setting in settings.items() if key in plain)
    rf_mode = settings.get("rf_mode")
    if rf_mode is not None:
        if rf_mode not in {mode.mode_id for mode in regulatory.rf_modes}:
            raise ProtocolError(f"rf_mode {rf_mode}: the reader does not have it")
        yield "mode_id", rf_mode
    if extras and settings.get("search_mode") in SEARCH_MODES:
        yield "search_mode", SEARCH_MODES[str(settings["search_mode"])]
    yield from _power(regulatory, settings.get("power_dbm"))
    if not regulatory.hopping:
        yield from _channels(regulatory, settings.get("channels_khz"), extras=extras)


def _power(regulatory: Regulatory, power_dbm: Setting | None) -> Iterator[tuple[str, object]]:
    if not isinstance(power_dbm, int | float):
        return
    index = power_index(regulatory, power_dbm)
    if index is None:
        raise ProtocolError(f"power_dbm {power_dbm:g}: the reader cannot send so little")
    yield "power_index", index
    if regulatory.hopping and regulatory.hop_tables:
        yield "hop_table_id", regulatory.hop_tables[0].hop_table_id


def _channels(
    regulatory: Regulatory, channels_khz: Setting | None, *, extras: bool
) -> Iterator[tuple[str, object]]:
    if not isinstance(channels_khz, tuple):
        return
    channels = channel_indices(regulatory, channels_khz)
    if len(channels) != len(channels_khz):
        raise ProtocolError(f"channels_khz {channels_khz}: the reader does not have all of them")
    yield "channel_index", min(channels, default=1)
    if extras:
        yield "channels", channels


def _filters(only_bag_tags: Setting | None) -> dict[str, object]:
    if only_bag_tags is None:
        return {}
    return {"filters": (ONLY_BAG_TAGS,) if only_bag_tags else ()}


def probe_report(
    capabilities: Capabilities,
    told: ReaderSettings | None,
    profile: ReaderProfile,
    *,
    is_reading: bool,
) -> ProbeReport:
    """Say what a reader says of itself, and what is wrong with it.

    Of its antennas only those that the profile uses, which are all when it names none.
    """
    connected = told.antennas if told is not None else {}
    used = profile.antennas or tuple(sorted(connected))
    faults = doubts(capabilities, profile)
    if connected and not any(connected.values()):
        faults.append(
            Fault(found="no antenna is connected", mend="screw the antennas' cables to its ports")
        )
    if told is not None and told.temperature_c is not None and told.temperature_c > HOT_C:
        faults.append(
            Fault(found=f"it is {told.temperature_c} °C hot", mend="give it air, or shade it")
        )
    return ProbeReport(
        says={"reading": is_reading, **dict(_says(capabilities, told))},
        antennas={port: connected[port] for port in used if port in connected},
        faults=tuple(faults),
    )


def _says(capabilities: Capabilities, told: ReaderSettings | None) -> Iterator[tuple[str, Fact]]:
    general = capabilities.general
    if general is not None:
        yield "vendor", _VENDORS.get(general.manufacturer, f"IANA {general.manufacturer}")
        yield "model", general.model
        yield "firmware", general.firmware
        yield "antenna_ports", general.max_antennas
        yield "inputs", general.gpis
    if capabilities.regulatory is not None:
        yield from _says_of_radio(capabilities.regulatory)
    if capabilities.limits is not None:
        yield "holds_reports", capabilities.limits.holds_reports
    if told is not None and told.reader_id:
        yield "reader_id", told.reader_id.hex(":")
    if told is not None and told.keepalive_ms is not None:
        yield "keepalive_s", told.keepalive_ms / 1000
    if told is not None and told.temperature_c is not None:
        yield "temperature_c", told.temperature_c


def _says_of_radio(regulatory: Regulatory) -> Iterator[tuple[str, Fact]]:
    yield "region", region_of(regulatory)
    yield "country", regulatory.country_code
    yield "hopping", regulatory.hopping
    powers = sorted(power for _index, power in regulatory.power_levels)
    if powers:
        yield "least_power_dbm", powers[0] / 100
        yield "most_power_dbm", powers[-1] / 100
    yield "rf_modes", ", ".join(str(mode.mode_id) for mode in regulatory.rf_modes)
