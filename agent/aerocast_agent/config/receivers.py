"""Settings of receivers of aircraft: programs that serve messages, and radio dongles."""

from typing import Annotated, Literal

import msgspec

from aerocast_agent.config.tables import DeviceTable
from aerocast_agent.config.values import Label, TcpPort, Text


class AdsbBeast(DeviceTable, frozen=True, kw_only=True, tag="adsb_beast"):
    """A Mode S receiver that serves the Beast format over TCP."""

    host: Text
    port: TcpPort = 30005


class AdsbAvr(DeviceTable, frozen=True, kw_only=True, tag="adsb_avr"):
    """A Mode S receiver that serves AVR text (dump1090's raw output) over TCP."""

    host: Text
    port: TcpPort = 30002


class AdsbSbs(DeviceTable, frozen=True, kw_only=True, tag="adsb_sbs"):
    """A program that serves decoded aircraft as SBS (BaseStation) lines over TCP."""

    host: Text
    port: TcpPort = 30003


class AdsbJson(DeviceTable, frozen=True, kw_only=True, tag="adsb_json"):
    """A program that writes aircraft.json once a second."""

    file: Text


class _Dongle(DeviceTable, frozen=True, kw_only=True):
    """What every receiver of radio samples may say. What is absent is the profile's to say.

    Attributes
    ----------
    rate
        Samples a second; 2,400,000 where nothing else is said.
    gain_db
        Of the tuner, 49.6 where nothing else is said; ``auto`` leaves it to the tuner itself.
    engine
        What demodulates; ``numba`` needs the extra ``sdr-fast``.
    """

    rate: Literal[2_000_000, 2_400_000] | None = None
    gain_db: Annotated[float, msgspec.Meta(ge=0, le=100)] | Literal["auto"] | None = None
    engine: Literal["numpy", "numba"] = "numpy"


class AdsbRtlTcp(_Dongle, frozen=True, kw_only=True, tag="adsb_rtl_tcp"):
    """A dongle behind rtl_tcp; needs the extra ``sdr``."""

    host: Text
    port: TcpPort = 1234


class AdsbRtlSdr(_Dongle, frozen=True, kw_only=True, tag="adsb_rtlsdr"):
    """A dongle plugged into the gateway; needs the extra ``rtlsdr``.

    Attributes
    ----------
    serial, index
        Which dongle: the serial number it carries, or its place among those plugged in, from 0.
        At most one of the two; the first dongle without either.
    ppm
        How far its crystal is off, parts per million; 0 where nothing else is said.
    """

    serial: Label | None = None
    index: Annotated[int, msgspec.Meta(ge=0, le=31)] | None = None
    ppm: Annotated[int, msgspec.Meta(ge=-200, le=200)] | None = None

    @property
    def which(self) -> str | int:
        """Which dongle, in the driver's words."""
        return self.index or 0 if self.serial is None else self.serial


class AdsbSoapy(_Dongle, frozen=True, kw_only=True, tag="adsb_soapy"):
    """A receiver of any make that SoapySDR knows; needs the extra ``sdr`` and Debian's SoapySDR.

    Attributes
    ----------
    device
        SoapySDR's words for it: ``driver=airspy``, ``driver=hackrf,serial=0123``.
    gain_db
        Of all stages together; ``auto`` where nothing else is said.
    ppm
        As for `AdsbRtlSdr`.
    """

    device: Text
    ppm: Annotated[int, msgspec.Meta(ge=-200, le=200)] | None = None

    @property
    def which(self) -> str | int:
        """Which receiver, in the driver's words."""
        return self.device


Dongle = AdsbRtlTcp | AdsbRtlSdr | AdsbSoapy
Receiver = AdsbBeast | AdsbAvr | AdsbSbs | AdsbJson | Dongle
