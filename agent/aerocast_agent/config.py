"""What agent.toml may say: one struct a table, one struct a kind of device.

`aerocast_agent.config_file` reads the file into these and words the errors.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from aerocast_protocols.observations import CustodyPoint

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}$")]
DeviceLabel = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
TcpPort = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Baud = Annotated[int, msgspec.Meta(ge=300, le=4_000_000)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
AntennaRef = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}:[0-9]{1,3}$")]
PhotoEyeRef = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}:gpi[0-9]{1,2}$")]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of agent.toml; a key it does not list is an error."""


class Position(_Table, frozen=True, kw_only=True):
    """Where the gateway stands (WGS 84; altitude in metres above sea level)."""

    latitude_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    altitude_m: float = 0.0


class Gateway(_Table, frozen=True, kw_only=True):
    """Who this gateway is; ``site`` is the airport, ``name`` is unique in it."""

    site: Name
    name: Name
    position: Position | None = None


class Hub(_Table, frozen=True, kw_only=True):
    """How to reach the hub.

    Attributes
    ----------
    broker, broker_v3
        ``mqtt://host:port`` or ``mqtts://host:port``; the second is tried when MQTT 5 is refused.
    http
        The hub's web address.
    certificate, key, ca
        PEM files for ``mqtts``: this gateway's certificate and key, and whom to trust.
    """

    broker: Text = "mqtt://127.0.0.1:1884"
    broker_v3: Text | None = None
    http: Text | None = None
    certificate: Text | None = None
    key: Text | None = None
    ca: Text | None = None


class Spool(_Table, frozen=True, kw_only=True):
    """Where observations wait for the hub, and how much disk they may take."""

    path: Text = "/var/lib/aerocast/spool.db"
    budget_mb: Annotated[int, msgspec.Meta(ge=8, le=1_000_000)] = 512


class Aircraft(_Table, frozen=True, kw_only=True):
    """What makes an aircraft parked, and which airframe it is.

    Attributes
    ----------
    stands
        GeoJSON whose polygons have ``stand``.
    database
        CSV of registrations and types, plain or gzip: ``icao24,registration,type``.
    """

    stands: Text | None = None
    database: Text | None = None
    on_stand_after_s: NotNegative = 60.0


class _Device(_Table, frozen=True, kw_only=True, tag_field="kind"):
    """What every device may say.

    Attributes
    ----------
    profile
        A profile of ``firmware_configs/`` by its name, or one of the site's own by its path, which
        ends in ``.toml``.
    silent_after_s
        Connected and nothing seen for so long means that something is wrong; absent: it may be
        silent for ever.
    """

    name: DeviceLabel
    profile: Text | None = None
    silent_after_s: Positive | None = None


class Llrp(_Device, frozen=True, kw_only=True, tag="llrp"):
    """An RFID reader that speaks LLRP over TCP.

    Attributes
    ----------
    tls
        Speak to it over TLS; readers listen for that on port 5085.
    ca
        PEM file of whom to trust: the authority that signed the reader's certificate, or that
        certificate itself. Absent: those the gateway's system trusts.
    server_name
        The name in its certificate, where that is not ``host``.
    """

    host: Text
    port: TcpPort = 5084
    tls: bool = False
    ca: Text | None = None
    server_name: Text | None = None


class UhfSerial(_Device, frozen=True, kw_only=True, tag="uhf_serial"):
    """A UHF RFID module on a serial line.

    Attributes
    ----------
    protocol
        ``m100`` for M100, QM100, YRM100 and R200 (frames begin with BB); ``r2000`` for modules
        with an Indy R2000 (A0); ``uhfreader18`` for Chafon's and others; ``mercury`` for
        ThingMagic's M5e, M6e and M7e.
    baud
        Absent: what modules of this family come with.
    """

    port: Text
    protocol: Literal["m100", "r2000", "uhfreader18", "mercury"]
    baud: Baud | None = None


class _NetworkReader(_Device, frozen=True, kw_only=True):
    """A reader that tells of tags in JSON.

    Attributes
    ----------
    listen, port
        Address (``0.0.0.0`` is any) and port of the gateway to which it posts.
    broker, topic
        Where it publishes: ``mqtt://host:port`` or ``mqtts://host:port``, and its topic, wildcards
        allowed.
    user, password_file
        For the broker, or the reader's own pages; what it must give itself when it posts. The
        password is the file's first line.
    ca
        PEM file of whom to trust: an authority, or the reader's own certificate. Names in
        certificates are not compared with it, as readers are reached by their addresses.
    """

    listen: Text | None = None
    port: TcpPort | None = None
    broker: Text | None = None
    topic: Text | None = None
    user: Text | None = None
    password_file: Text | None = None
    ca: Text | None = None


class R700(_NetworkReader, frozen=True, kw_only=True, tag="r700"):
    """An Impinj R700 or kin by its IoT device interface.

    Attributes
    ----------
    url
        The reader's own address, ``https://host``: tags come on its HTTP stream.
    preset
        Which of its inventories to begin when it is idle; absent: none.
    """

    url: Text | None = None
    preset: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{1,64}$")] | None = None


class ZebraIot(_NetworkReader, frozen=True, kw_only=True, tag="zebra_iot"):
    """A Zebra FX or ATR reader by its IoT Connector, whose data endpoint is MQTT or HTTP POST."""


class _Scanner(_Device, frozen=True, kw_only=True):
    """What every scanner may say.

    Attributes
    ----------
    no_read
        What a fixed scanner sends for a bag it could not read.
    heartbeat
        What it sends to show that it is alive; such texts are no scans.
    heartbeat_s
        How often it does so: silent for two and a half times as long, it is lost.
    """

    no_read: Text | None = "NoRead"
    heartbeat: Text | None = None
    heartbeat_s: Positive | None = None
    point: CustodyPoint | None = None
    belt: Label | None = None


class _FramedScanner(_Scanner, frozen=True, kw_only=True):
    """A scanner that sends text; ``framing`` is how texts end, ``auto`` finds out."""

    framing: Literal["auto", "stx_etx", "cr", "lf", "crlf"] = "auto"


class SerialScanner(_FramedScanner, frozen=True, kw_only=True, tag="serial_scanner"):
    """A barcode scanner on a serial line."""

    port: Text
    baud: Baud = 9600


class TcpScanner(_FramedScanner, frozen=True, kw_only=True, tag="tcp_scanner"):
    """A fixed-mount scanner that the gateway connects to."""

    host: Text
    port: TcpPort


class TcpScannerServer(_FramedScanner, frozen=True, kw_only=True, tag="tcp_scanner_server"):
    """Fixed-mount scanners of one place that connect to the gateway.

    Attributes
    ----------
    listen
        Which address of the gateway they connect to; ``0.0.0.0`` is any.
    scanners
        IP addresses that may connect; none named: any.
    """

    listen: Text
    port: TcpPort
    scanners: Annotated[tuple[Text, ...], msgspec.Meta(max_length=64)] = ()


class HidScanner(_Scanner, frozen=True, kw_only=True, tag="hid_scanner"):
    """A scanner that passes itself off as a USB keyboard.

    Attributes
    ----------
    port
        Its input device, ``/dev/input/by-id/...-event-kbd``.
    layout
        The country it is set to.
    """

    port: Text
    layout: Literal["us", "gb", "fr", "de"] = "us"


class GpsSerial(_Device, frozen=True, kw_only=True, tag="gps_serial"):
    """A GPS receiver on a serial line that speaks NMEA 0183, UBX of u-blox, or both."""

    port: Text
    baud: Baud = 9600


class SmartCard(_Device, frozen=True, kw_only=True, tag="smartcard"):
    """A reader of contactless cards and NFC tags (PC/SC); needs the extra ``smartcard``.

    Attributes
    ----------
    reader
        Part of its name; absent, the first there is.
    purpose
        ``tags`` tells what is on them. ``badges`` tells which of the staff came, never the card's
        identifier.
    badge_key
        For ``badges``: a file of 32 random bytes or more, the same at every gateway of an airport.
    """

    reader: Text | None = None
    purpose: Literal["tags", "badges"] = "tags"
    badge_key: Text | None = None


class Ble(_Device, frozen=True, kw_only=True, tag="ble"):
    """Bluetooth beacons and sensors around; needs the extra ``ble``.

    Attributes
    ----------
    adapter
        Which radio, ``hci0`` for one; absent, the first there is.
    report_every_s
        A beacon is reported at most so often.
    restart_after_s
        Nothing heard for so long, though something was before: the scan is started again, for
        scans stall without a word.
    """

    adapter: Label | None = None
    report_every_s: Positive = 10.0
    restart_after_s: Positive = 60.0


class Gpsd(_Device, frozen=True, kw_only=True, tag="gpsd"):
    """A gpsd that looks after the receiver.

    Attributes
    ----------
    receiver
        Which of its receivers, by the path gpsd knows it by; absent: all of them.
    """

    host: Text = "127.0.0.1"
    port: TcpPort = 2947
    receiver: Text | None = None


class WeatherWxt(_Device, frozen=True, kw_only=True, tag="weather_wxt"):
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


class TempestUdp(_Device, frozen=True, kw_only=True, tag="tempest_udp"):
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


class As3935(_Device, frozen=True, kw_only=True, tag="as3935"):
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


class AdsbBeast(_Device, frozen=True, kw_only=True, tag="adsb_beast"):
    """A Mode S receiver that serves the Beast format over TCP."""

    host: Text
    port: TcpPort = 30005


class AdsbAvr(_Device, frozen=True, kw_only=True, tag="adsb_avr"):
    """A Mode S receiver that serves AVR text (dump1090's raw output) over TCP."""

    host: Text
    port: TcpPort = 30002


class AdsbSbs(_Device, frozen=True, kw_only=True, tag="adsb_sbs"):
    """A program that serves decoded aircraft as SBS (BaseStation) lines over TCP."""

    host: Text
    port: TcpPort = 30003


class AdsbJson(_Device, frozen=True, kw_only=True, tag="adsb_json"):
    """A program that writes aircraft.json once a second."""

    file: Text


class _Dongle(_Device, frozen=True, kw_only=True):
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


class _Recording(_Device, frozen=True, kw_only=True):
    """A recording played as if it happened now.

    Attributes
    ----------
    speed
        1.0 as recorded, 0 as fast as can be.
    start
        UTC at which the recording's first moment is placed: a TOML datetime, ISO 8601 text, or
        seconds since 1970-01-01. Absent: now.
    """

    file: Text
    speed: NotNegative = 1.0
    start: Annotated[str, msgspec.Meta(max_length=64)] | int | float | None = None

    @property
    def start_us(self) -> int | None:
        """Give ``start`` in microseconds UTC.

        Raises
        ------
        ValueError
            The text is no ISO 8601 date and time.
        """
        if self.start is None:
            return None
        if isinstance(self.start, str):
            begins = datetime.fromisoformat(self.start)
            if begins.tzinfo is None:
                begins = begins.replace(tzinfo=UTC)
            return round(begins.timestamp() * 1_000_000)
        return round(self.start * 1_000_000)


class Replay(_Recording, frozen=True, kw_only=True, tag="replay"):
    """A recording of any device."""

    format: Literal["llrp", "nmea", "beast", "modes", "scan"]


class AdsbFile(_Recording, frozen=True, kw_only=True, tag="adsb_file"):
    """A recording of Mode S messages, or of the radio samples they are in.

    Attributes
    ----------
    rate
        Samples a second, for formats ``cu8``, ``cs16`` and ``cf32``; ``auto`` finds out.
    engine
        What finds messages in samples: ``numpy``, or ``numba`` (extra sdr-fast).
    """

    format: Literal["beast", "modes", "cu8", "cs16", "cf32"]
    rate: Literal[2_000_000, 2_400_000, "auto"] = "auto"
    engine: Literal["numpy", "numba"] = "numpy"


Dongle = AdsbRtlTcp | AdsbRtlSdr | AdsbSoapy
Receiver = AdsbBeast | AdsbAvr | AdsbSbs | AdsbJson | AdsbRtlTcp | AdsbRtlSdr | AdsbSoapy
RECEIVERS: tuple[type[Receiver], ...] = (
    AdsbBeast,
    AdsbAvr,
    AdsbSbs,
    AdsbJson,
    AdsbRtlTcp,
    AdsbRtlSdr,
    AdsbSoapy,
)
Scanner = SerialScanner | TcpScanner | TcpScannerServer | HidScanner
NetworkReader = R700 | ZebraIot
Rfid = Llrp | UhfSerial | NetworkReader
WeatherSensor = WeatherWxt | TempestUdp | As3935
Device = (
    Rfid
    | Scanner
    | GpsSerial
    | Gpsd
    | SmartCard
    | Ble
    | WeatherSensor
    | Receiver
    | Replay
    | AdsbFile
)
KINDS: dict[str, type[Device]] = {
    "llrp": Llrp,
    "uhf_serial": UhfSerial,
    "r700": R700,
    "zebra_iot": ZebraIot,
    "serial_scanner": SerialScanner,
    "tcp_scanner": TcpScanner,
    "tcp_scanner_server": TcpScannerServer,
    "hid_scanner": HidScanner,
    "gps_serial": GpsSerial,
    "gpsd": Gpsd,
    "smartcard": SmartCard,
    "ble": Ble,
    "weather_wxt": WeatherWxt,
    "tempest_udp": TempestUdp,
    "as3935": As3935,
    "adsb_beast": AdsbBeast,
    "adsb_avr": AdsbAvr,
    "adsb_sbs": AdsbSbs,
    "adsb_json": AdsbJson,
    "adsb_rtl_tcp": AdsbRtlTcp,
    "adsb_rtlsdr": AdsbRtlSdr,
    "adsb_soapy": AdsbSoapy,
    "replay": Replay,
    "adsb_file": AdsbFile,
}
WITH_PROFILE = (
    *(Llrp, UhfSerial, SerialScanner, TcpScanner, GpsSerial),
    *(AdsbRtlTcp, AdsbRtlSdr, AdsbSoapy),
)
"""Kinds of device that profiles are for: see `aerocast_agent.profiles`."""


class Belt(_Table, frozen=True, kw_only=True):
    """A belt, and the antennas that watch it.

    Attributes
    ----------
    antennas
        ``device:port``, ports from 1.
    siblings
        Belts whose tags this one may overhear.
    speed_mps, field_m
        How fast the belt runs, and how far along it the antennas read.
    photo_eye
        ``device:gpiN``: the reader's input that a bag's beam is wired to.
    margin_db
        How much stronger than its siblings a belt must read a tag to claim it alone.
    """

    name: Label
    point: CustodyPoint
    antennas: Annotated[tuple[AntennaRef, ...], msgspec.Meta(max_length=64)] = ()
    siblings: Annotated[tuple[Label, ...], msgspec.Meta(max_length=32)] = ()
    speed_mps: Positive = 1.5
    field_m: Positive | None = None
    photo_eye: PhotoEyeRef | None = None
    margin_db: NotNegative = 3.0


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole agent.toml; paths in it are absolute once read."""

    gateway: Gateway
    hub: Hub = Hub()
    spool: Spool = Spool()
    aircraft: Aircraft = Aircraft()
    devices: tuple[Device, ...] = msgspec.field(name="device", default=())
    belts: tuple[Belt, ...] = msgspec.field(name="belt", default=())


WITHOUT_TLS = (
    *(UhfSerial, SerialScanner, TcpScanner, TcpScannerServer, HidScanner),
    *(GpsSerial, Gpsd, SmartCard, WeatherWxt, TempestUdp, As3935, AdsbBeast, Replay, AdsbFile),
)


def may_speak_tls(settings: Config) -> bool:
    """Say whether anything configured may speak TLS: a broker, or a device not known not to."""
    brokers = [url for url in (settings.hub.broker, settings.hub.broker_v3) if url is not None]
    return any(not url.startswith("mqtt://") for url in brokers) or any(
        not _is_without_tls(device) for device in settings.devices
    )


def _is_without_tls(device: Device) -> bool:
    if isinstance(device, Llrp):
        return not device.tls
    if isinstance(device, NetworkReader):
        urls = [device.broker, device.url if isinstance(device, R700) else None]
        return not any(url is not None and url.startswith(("https", "mqtts")) for url in urls)
    return isinstance(device, WITHOUT_TLS)
