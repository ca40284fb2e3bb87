"""Settings of weather sensors at the gateway."""

from typing import Annotated

import msgspec

from aerocast_agent.config.tables import DeviceTable
from aerocast_agent.config.values import Baud, NotNegative, TcpPort, Text


class WeatherWxt(DeviceTable, frozen=True, kw_only=True, tag="weather_wxt"):
    """A Vaisala WXT510, 520 or 530 on a serial line, in ASCII mode.

    Attributes
    ----------
    address
        The transmitter's own.
    poll_every_s
        How often it is asked for all it measures; 0: it sends by itself.
    """

    port: Text
    baud: Baud = 19200
    address: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z]$")] = "0"
    poll_every_s: NotNegative = 10.0


class TempestUdp(DeviceTable, frozen=True, kw_only=True, tag="tempest_udp"):
    """WeatherFlow Tempest stations, whose hub broadcasts on the gateway's network.

    Attributes
    ----------
    listen
        Which address of the gateway to hear on; ``0.0.0.0`` is any.
    sensors
        Serial numbers of the sensors to believe; none named: all that are heard.
    """

    listen: Text = "0.0.0.0"  # noqa: S104  broadcasts come to no single address
    port: TcpPort = 50222
    sensors: Annotated[tuple[Text, ...], msgspec.Meta(max_length=64)] = ()


class As3935(DeviceTable, frozen=True, kw_only=True, tag="as3935"):
    """A lightning detector AS3935 on an I2C bus.

    Attributes
    ----------
    bus, address
        ``/dev/i2c-1``, and the detector's address there.
    indoors
        Where it stands: its gain follows.
    """

    bus: Text = "/dev/i2c-1"
    address: Annotated[int, msgspec.Meta(ge=0, le=3)] = 3
    indoors: bool = False


WeatherSensor = WeatherWxt | TempestUdp | As3935
