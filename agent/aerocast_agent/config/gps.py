"""Settings of GPS receivers: on a serial line, or behind gpsd."""

from aerocast_agent.config.tables import DeviceTable
from aerocast_agent.config.values import Baud, TcpPort, Text


class GpsSerial(DeviceTable, frozen=True, kw_only=True, tag="gps_serial"):
    """A GPS receiver on a serial line that speaks NMEA 0183, UBX of u-blox, or both."""

    port: Text
    baud: Baud = 9600


class Gpsd(DeviceTable, frozen=True, kw_only=True, tag="gpsd"):
    """A gpsd that looks after the receiver.

    Attributes
    ----------
    receiver
        Which of its receivers, by the path gpsd knows it by; absent: all of them.
    """

    host: Text = "127.0.0.1"
    port: TcpPort = 2947
    receiver: Text | None = None


Gps = GpsSerial | Gpsd
