"""From advertisements to observations: each beacon and sensor at most once in a while. Pure."""

from collections import OrderedDict
from collections.abc import Mapping

from aerocast_protocols.ble.advertisement import Advertisement
from aerocast_protocols.ble.beacons import find_beacon, identity_of
from aerocast_protocols.ble.ruuvi import RuuviTag
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.cards import BeaconSeen
from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.weather import WeatherMeasured

MOST_REMEMBERED = 4096
"""Telephones change their address every quarter of an hour: they must not fill the memory."""
_LONGEST = 256


class BeaconReports:
    """Remembers when each beacon was reported last.

    Parameters
    ----------
    device
        The radio's name in the gateway's configuration.
    every_s
        How often a beacon is reported at most.

    Attributes
    ----------
    broken
        Advertisements that said they were beacons and could not be read.
    """

    def __init__(self, device: str, every_s: float) -> None:
        self.broken = 0
        self._device = device
        self._every_ns = round(every_s * 1e9)
        self._reported_ns: OrderedDict[tuple[str, str], int] = OrderedDict()

    def hear(
        self,
        address: str,
        rssi_dbm: float,
        manufacturer: Mapping[int, bytes],
        service: Mapping[int, bytes],
        boot_ns: int,
    ) -> list[Observation]:
        """Take in an advertisement, and give what is to be reported of it.

        Parameters
        ----------
        manufacturer, service
            As in `Advertisement`.
        """
        try:
            beacon = find_beacon(
                Advertisement(manufacturer=dict(manufacturer), service=dict(service))
            )
        except ProtocolError:
            self.broken += 1
            return []
        if beacon is None:
            return []
        kind = str(beacon.__struct_config__.tag)
        if not self._is_due((kind, address), boot_ns):
            return []
        is_tag = isinstance(beacon, RuuviTag)
        seen = BeaconSeen(
            device=self._device,
            boot_ns=boot_ns,
            beacon=kind,
            identity=(identity_of(beacon) or address)[:_LONGEST],
            address=address,
            rssi_dbm=rssi_dbm,
            tx_power_dbm=None if is_tag else beacon.tx_power_dbm,  # a tag's is not that at 1 m
        )
        if not isinstance(beacon, RuuviTag):
            return [seen]
        return [seen, self._weather(beacon, address, boot_ns)]

    def _weather(self, tag: RuuviTag, address: str, boot_ns: int) -> Observation:
        return WeatherMeasured(
            device=self._device,
            boot_ns=boot_ns,
            sensor=tag.mac or address,
            temperature_c=tag.temperature_c,
            humidity_percent=tag.humidity_percent,
            pressure_hpa=tag.pressure_hpa,
        )

    def _is_due(self, key: tuple[str, str], boot_ns: int) -> bool:
        reported_ns = self._reported_ns.get(key)
        if reported_ns is not None and 0 <= boot_ns - reported_ns < self._every_ns:
            return False
        self._reported_ns[key] = boot_ns
        self._reported_ns.move_to_end(key)
        if len(self._reported_ns) > MOST_REMEMBERED:
            self._reported_ns.popitem(last=False)
        return True
