"""Weather sensors: a WeatherFlow Tempest's hub on UDP, a Vaisala WXT on a pseudo-terminal."""

import asyncio
import json
import os
import socket
import time
from typing import Self

from aerocast_protocols.weather.wxt import checksum

from aerocast_simulator.serial_devices import Pty


class TempestHub:
    """Broadcasts, here to one address, as a Tempest's hub does."""

    def __init__(self, host: str, port: int, serial: str = "ST-00000512") -> None:
        self._to = (host, port)
        self._serial = serial
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def strike(self, distance_km: float, energy: float = 3848) -> None:
        """Notice a strike."""
        self._send("evt_strike", evt=[int(time.time()), distance_km, energy])

    def wind(self, speed_mps: float, direction_deg: float) -> None:
        """Tell the wind of this moment."""
        self._send("rapid_wind", ob=[int(time.time()), speed_mps, direction_deg])

    def weather(
        self, *, wind_mps: float = 3.2, gust_mps: float = 5.1, strikes: int = 0, km: float = 0
    ) -> None:
        """Report a minute's weather."""
        measured = [int(time.time()), 0.2, wind_mps, gust_mps, 144, 6, 1017.57, 22.37, 50.26]
        measured += [328, 0.03, 3, 0.0, 0, km, strikes, 2.41, 1]
        self._send("obs_st", obs=[measured], firmware_revision=129)

    def status(self, sensor_status: int = 0) -> None:
        """Tell how the sensor is."""
        self._send(
            "device_status", timestamp=int(time.time()), voltage=2.41, sensor_status=sensor_status
        )

    def _send(self, kind: str, **values: object) -> None:
        message = {"serial_number": self._serial, "type": kind, "hub_sn": "HB-00013030"}
        self._socket.sendto(json.dumps(message | values).encode(), self._to)


class PtyWxt(Pty):
    """A transmitter that answers polls; its values may be changed as text.

    Attributes
    ----------
    values
        What it measures, as on the line.
    asked
        How often it was polled.
    """

    def __init__(self, address: str = "0", *, with_checksum: bool = False) -> None:
        super().__init__()
        self.values = (
            "Dm=236D,Sm=2.1M,Sx=4.0M,Ta=21.4C,Ua=48.2P,Pa=1009.8H,Rc=0.51M,Ri=1.2M,Vs=12.0V"
        )
        self.asked = 0
        self._address, self._with_checksum = address, with_checksum
        asyncio.get_running_loop().add_reader(self._master, self._hear)

    def unplug(self) -> None:
        """Close both ends: the agent's read fails."""
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
        super().unplug()

    def tell(self) -> None:
        """Send its values, asked or not."""
        letter = "r" if self._with_checksum else "R"
        line = f"{self._address}{letter}0,{self.values}".encode()
        self._write(line + (checksum(line) if self._with_checksum else b"") + b"\r\n")

    def _hear(self) -> None:
        for _ in range(os.read(self._master, 4096).count(f"{self._address}R0\r\n".encode())):
            self.asked += 1
            self.tell()
