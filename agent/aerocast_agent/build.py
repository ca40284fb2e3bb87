"""From configuration to drivers: each kind's code is imported only when a device needs it."""

import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from aerocast_protocols.errors import ProtocolError

from aerocast_agent import clock, config
from aerocast_agent.config_file import ConfigError
from aerocast_agent.driver import Accept, Driver
from aerocast_agent.following import Following

if TYPE_CHECKING:
    import ssl

    from aerocast_agent.aircraft import AircraftTable
    from aerocast_agent.aircraft_database import AircraftDatabase
    from aerocast_agent.ground_memory import GroundMemory
    from aerocast_agent.network_reader import Maker
    from aerocast_agent.profiles import Profile, ScannerProfile
    from aerocast_agent.recordings import Radio
    from aerocast_agent.stands import Stands

P = TypeVar("P", bound="Profile")
SHORTEST_BADGE_KEY, LONGEST_BADGE_KEY = 32, 4096
# What needs numpy, and the extra that brings it.
_NEEDING_NUMPY: dict[type[config.Dongle], tuple[str, str]] = {
    config.AdsbRtlTcp: ("adsb_rtl_tcp", "sdr"),
    config.AdsbRtlSdr: ("adsb_rtlsdr", "rtlsdr"),
    config.AdsbSoapy: ("adsb_soapy", "sdr"),
}
HIGHEST_GAIN_DB = 49.6  # of the R820T, which most dongles have
AIRCRAFT_FORMATS = frozenset({"beast", "modes"})


class Built(NamedTuple):
    """What the supervisor runs, and what observations pass on their way to the spool.

    Attributes
    ----------
    make
        Makes a device's driver anew, from its profile as the file is now.
    ground
        Keeps what is known of aircraft near the ground; None without receivers.
    """

    drivers: list[Driver]
    following: Following
    make: Callable[[str], Driver]
    ground: "GroundMemory | None" = None


def build(settings: config.Config, accept: Accept) -> Built:
    """Make drivers of a configuration.

    Raises
    ------
    ConfigError
        A profile or a file of stands that it names cannot be used.
    """
    sky = _Sky(settings)
    devices = {device.name: device for device in settings.devices}

    def make(name: str) -> Driver:
        return _driver(devices[name], sky)

    drivers = [make(name) for name in devices]
    return Built(drivers, Following(_groups(settings), accept), make, sky.memory())


def driver_of(settings: config.Config, device: config.Device) -> Driver:
    """Make one device's driver.

    Raises
    ------
    ConfigError
        As `build`.
    """
    return _driver(device, _Sky(settings))


def _driver(device: config.Device, sky: "_Sky") -> Driver:
    if isinstance(device, config.Rfid):
        return _rfid(device, sky)
    if isinstance(device, config.Scanner):
        return _scanner(device)
    if isinstance(device, config.Receiver):
        return _receiver(device, sky)
    if isinstance(device, config.Replay | config.AdsbFile):
        return _replay(device, sky)
    return _sensor(device)


def _sensor(
    device: config.GpsSerial | config.Gpsd | config.WeatherSensor | config.SmartCard | config.Ble,
) -> Driver:
    if isinstance(device, config.GpsSerial | config.Gpsd):
        return _gps(device)
    if isinstance(device, config.WeatherSensor):
        return _weather(device)
    return _near_field(device)


def _rfid(device: config.Rfid, sky: "_Sky") -> Driver:
    if isinstance(device, config.Llrp):
        return _llrp(device)
    if isinstance(device, config.UhfSerial):
        return _uhf_serial(device)
    return _network_reader(device, sky.gateway)


def _receiver(device: config.Receiver, sky: "_Sky") -> Driver:
    if isinstance(device, config.AdsbJson):
        from aerocast_agent.drivers.adsb_json import AircraftJson  # noqa: PLC0415  if configured

        return AircraftJson(device.name, device.file, sky.live())
    if isinstance(device, config.AdsbRtlTcp | config.AdsbRtlSdr | config.AdsbSoapy):
        return _dongle(device, sky)
    where = (device.name, device.host, device.port, sky.live())
    if isinstance(device, config.AdsbAvr):
        from aerocast_agent.drivers.adsb_avr import AvrReceiver  # noqa: PLC0415  only if configured

        return AvrReceiver(*where)
    if isinstance(device, config.AdsbSbs):
        from aerocast_agent.drivers.adsb_sbs import SbsReceiver  # noqa: PLC0415  only if configured

        return SbsReceiver(*where)
    from aerocast_agent.drivers.adsb_beast import BeastReceiver  # noqa: PLC0415  only if configured

    return BeastReceiver(*where)


def _dongle(device: config.Dongle, sky: "_Sky") -> Driver:
    if importlib.util.find_spec("numpy") is None:
        kind, extra = _NEEDING_NUMPY[type(device)]
        raise ConfigError(
            [f"device {device.name}: {kind} needs numpy: install 'aerocast-agent[{extra}]'"]
        )
    tuning = _tuning(device)
    if isinstance(device, config.AdsbRtlTcp):
        from aerocast_agent.drivers.adsb_rtl_tcp import RtlTcpReceiver  # noqa: PLC0415  if it is

        return RtlTcpReceiver(
            device.name,
            device.host,
            device.port,
            sky.live(),
            rate=tuning.rate,
            gain_db=tuning.gain_db,
            engine=device.engine,
        )
    from aerocast_agent.drivers.adsb_rtlsdr import UsbDongle  # noqa: PLC0415  if configured
    from aerocast_agent.rtlsdr_library import open_dongle  # noqa: PLC0415  as above
    from aerocast_agent.soapy_library import open_soapy  # noqa: PLC0415  as above

    is_soapy = isinstance(device, config.AdsbSoapy)
    return UsbDongle(
        device.name,
        sky.live(),
        which=device.which,
        rate=tuning.rate,
        gain_db=tuning.gain_db,
        ppm=tuning.ppm,
        engine=device.engine,
        opening=open_soapy if is_soapy else open_dongle,
        samples="cf32" if is_soapy else "cu8",
    )


class _Tuning(NamedTuple):
    rate: int
    gain_db: float | None
    ppm: int


def _tuning(device: config.Dongle) -> _Tuning:
    """Say how to set a dongle up: as agent.toml says, else its profile, else as most are."""
    named = None
    if device.profile is not None:
        from aerocast_agent.profiles import SdrProfile  # noqa: PLC0415  only if one is named

        named = _profile(device, SdrProfile)
    rate, gain_db, ppm = device.rate, device.gain_db, getattr(device, "ppm", None)
    if named is not None:
        rate = named.rate if rate is None else rate
        gain_db = named.gain_db if gain_db is None else gain_db
        ppm = named.ppm if ppm is None else ppm
    if gain_db is None:
        gain_db = "auto" if isinstance(device, config.AdsbSoapy) else HIGHEST_GAIN_DB
    return _Tuning(rate or 2_400_000, None if gain_db == "auto" else gain_db, ppm or 0)


def _llrp(device: config.Llrp) -> Driver:
    from aerocast_agent.drivers.llrp import LlrpReader  # noqa: PLC0415  only if configured
    from aerocast_agent.profiles import ReaderProfile  # noqa: PLC0415  as above

    return LlrpReader(
        device.name,
        device.host,
        device.port,
        _profile(device, ReaderProfile),
        tls=_tls(device) if device.tls else None,
        server_name=device.server_name,
    )


def _tls(device: config.Llrp) -> "ssl.SSLContext":
    import ssl  # noqa: PLC0415  only if configured

    try:
        return ssl.create_default_context(cafile=device.ca)
    except OSError as error:
        raise ConfigError([f"device {device.name}: ca: {device.ca}: {error}"]) from error


def _uhf_serial(device: config.UhfSerial) -> Driver:
    from aerocast_agent.drivers.uhf_serial import UhfSerial  # noqa: PLC0415  only if configured
    from aerocast_agent.profiles import UhfProfile  # noqa: PLC0415  as above

    profile = _profile(device, UhfProfile)
    return UhfSerial(device.name, device.port, device.protocol, device.baud, profile)


def _network_reader(device: config.NetworkReader, gateway: config.Gateway) -> Driver:
    from aerocast_agent.network_reader import Access, read_password  # noqa: PLC0415  if configured

    try:
        password = read_password(device.password_file)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"device {device.name}: password_file: {error}"]) from error
    access = Access(device.user, password, device.ca)
    if isinstance(device, config.R700) and device.url is not None:
        from aerocast_agent.drivers.r700 import R700Stream  # noqa: PLC0415  only if configured

        return R700Stream(device.name, device.url, access, device.preset)
    maker: Maker = "impinj" if isinstance(device, config.R700) else "zebra"
    if device.listen is not None:
        from aerocast_agent.drivers.reader_http_server import (  # noqa: PLC0415  if configured
            HttpReader,
        )

        return HttpReader(device.name, device.listen, device.port or 0, access, maker)
    from aerocast_agent.drivers.reader_mqtt import MqttReader  # noqa: PLC0415  only if configured

    return MqttReader(
        device.name,
        device.broker or "",
        device.topic or "",
        access,
        maker=maker,
        client_id=f"{gateway.site}-{gateway.name}-{device.name}",
    )


def _profile(device: config.Device, of: type[P]) -> P | None:
    if device.profile is None:
        return None
    from aerocast_agent.profile_files import ProfileError, load_profile  # noqa: PLC0415  if named

    try:
        return load_profile(device.profile, of)
    except ProfileError as error:
        raise ConfigError([f"device {device.name}: profile: {error}"]) from error


def _scanner(device: config.Scanner) -> Driver:
    from aerocast_agent.scans import ScanRules  # noqa: PLC0415  only if configured

    rules = ScanRules(
        framing="auto" if isinstance(device, config.HidScanner) else device.framing,
        no_read=device.no_read,
        heartbeat=device.heartbeat,
        heartbeat_s=device.heartbeat_s,
        point=device.point,
        belt=device.belt,
    )
    programming = _programming(device)
    if isinstance(device, config.TcpScanner):
        from aerocast_agent.drivers.tcp_scanner import TcpScanner  # noqa: PLC0415  as above

        return TcpScanner(device.name, device.host, device.port, rules, programming)
    if isinstance(device, config.TcpScannerServer):
        from aerocast_agent.drivers.tcp_scanner_server import (  # noqa: PLC0415  as above
            TcpScannerServer,
        )

        where = (device.listen, device.port)
        return TcpScannerServer(device.name, *where, rules, scanners=device.scanners)
    if isinstance(device, config.HidScanner):
        from aerocast_agent.drivers.hid_scanner import HidScanner  # noqa: PLC0415  as above

        return HidScanner(device.name, device.port, rules, layout=device.layout)
    from aerocast_agent.drivers.serial_scanner import SerialScanner  # noqa: PLC0415  as above

    return SerialScanner(device.name, device.port, device.baud, rules, programming)


def _programming(device: config.Scanner) -> "ScannerProfile | None":
    if device.profile is None:
        return None
    from aerocast_agent.profiles import ScannerProfile  # noqa: PLC0415  only if named

    return _profile(device, ScannerProfile)


def _gps(device: config.GpsSerial | config.Gpsd) -> Driver:
    if isinstance(device, config.Gpsd):
        from aerocast_agent.drivers.gpsd import GpsdClient  # noqa: PLC0415  only if configured

        return GpsdClient(device.name, device.host, device.port, device.receiver)
    from aerocast_agent.drivers.gps_serial import GpsSerial  # noqa: PLC0415  only if configured

    if device.profile is not None:
        from aerocast_agent.profiles import UbloxProfile  # noqa: PLC0415  only if named

        _profile(device, UbloxProfile)  # of the right kind, and without a mistake
    return GpsSerial(device.name, device.port, device.baud)


def _weather(device: config.WeatherSensor) -> Driver:
    if isinstance(device, config.WeatherWxt):
        from aerocast_agent.drivers.weather_wxt import WxtTransmitter  # noqa: PLC0415  if configured

        where = (device.port, device.baud, device.address)
        return WxtTransmitter(device.name, *where, device.poll_every_s)
    if isinstance(device, config.TempestUdp):
        from aerocast_agent.drivers.tempest_udp import TempestStation  # noqa: PLC0415  as above

        return TempestStation(device.name, device.listen, device.port, device.sensors)
    from aerocast_agent.drivers.as3935 import LightningDetector  # noqa: PLC0415  as above

    return LightningDetector(device.name, device.bus, device.address, indoors=device.indoors)


def _near_field(device: config.SmartCard | config.Ble) -> Driver:
    if isinstance(device, config.SmartCard):
        return _smartcard(device)
    if importlib.util.find_spec("bleak") is None:
        mend = "install 'aerocast-agent[ble]'"
        raise ConfigError([f"device {device.name}: ble needs bleak: {mend}"])
    from aerocast_agent.drivers.ble import BeaconScanner  # noqa: PLC0415  only if configured

    return BeaconScanner(device.name, device.adapter, device.report_every_s, device.restart_after_s)


def _smartcard(device: config.SmartCard) -> Driver:
    if importlib.util.find_spec("smartcard") is None:
        mend = "apt install pcscd libpcsclite-dev gcc, then install 'aerocast-agent[smartcard]'"
        raise ConfigError([f"device {device.name}: smartcard needs pyscard: {mend}"])
    from aerocast_agent.drivers.smartcard import SmartCardReader  # noqa: PLC0415  if configured

    return SmartCardReader(device.name, device.reader or "", _badge_key(device))


def _badge_key(device: config.SmartCard) -> bytes | None:
    if device.purpose == "tags":
        return None
    where = f"device {device.name}: badge_key"
    if device.badge_key is None:
        mend = "'head -c 32 /dev/urandom > badge.key', the same secret file at every gateway"
        raise ConfigError([f"{where} is missing: make one with {mend} of the airport"])
    try:
        key = Path(device.badge_key).read_bytes()
    except OSError as error:
        raise ConfigError([f"{where}: {device.badge_key}: {error.strerror}"]) from error
    if not SHORTEST_BADGE_KEY <= len(key) <= LONGEST_BADGE_KEY:
        raise ConfigError([f"{where}: {device.badge_key} has {len(key)} bytes, not 32 to 4096"])
    return key


def _replay(device: config.Replay | config.AdsbFile, sky: "_Sky") -> Driver:
    from aerocast_agent.drivers.replay import Replay  # noqa: PLC0415  only if configured

    return Replay(
        device.name,
        device.file,
        device.format,
        device.speed,
        device.start_us,
        aircraft=sky.table(),
        radio=_radio(device) if isinstance(device, config.AdsbFile) else None,
    )


def _radio(device: config.AdsbFile) -> "Radio":
    from aerocast_agent.recordings import Radio  # noqa: PLC0415  only if configured

    return Radio(None if device.rate == "auto" else device.rate, device.engine)


def _groups(settings: config.Config) -> list[Sequence[config.Belt]]:
    """Part the belts that recordings play on from the real ones: their times differ."""
    played = {each.name for each in settings.devices if isinstance(each, config.Replay)}

    def is_played(belt: config.Belt) -> bool:
        places = [*belt.antennas, *([belt.photo_eye] if belt.photo_eye else [])]
        return any(place.rpartition(":")[0] in played for place in places)

    groups: list[Sequence[config.Belt]] = [
        [belt for belt in settings.belts if is_played(belt) is wanted] for wanted in (False, True)
    ]
    return [group for group in groups if group]


class _Sky:
    """Makes aircraft tables: one for all receivers, one of its own for each recording."""

    def __init__(self, settings: config.Config) -> None:
        self.gateway = settings.gateway
        self._settings = settings
        self._live: AircraftTable | None = None
        self._database: AircraftDatabase | None = None

    def live(self) -> "AircraftTable":
        if self._live is None:
            self._live = self.table()
        return self._live

    def memory(self) -> "GroundMemory | None":
        if self._live is None:
            return None
        from aerocast_agent.ground_memory import GroundMemory  # noqa: PLC0415  only if configured

        file = Path(self._settings.spool.path).with_name("aircraft.msgpack")
        return GroundMemory(file, self._live, clock.boot_id())

    def table(self) -> "AircraftTable":
        from aerocast_agent.aircraft import AircraftTable  # noqa: PLC0415  only if configured

        position = self._settings.gateway.position
        reference = None if position is None else (position.latitude_deg, position.longitude_deg)
        return AircraftTable(
            reference,
            self._stands(),
            self._settings.aircraft.on_stand_after_s,
            year=float(time.gmtime().tm_year),
            database=self._airframes(),
        )

    def _stands(self) -> "Stands":
        from aerocast_agent.stands import Stands  # noqa: PLC0415  only if configured

        file = self._settings.aircraft.stands
        try:
            return Stands() if file is None else Stands.from_geojson(Path(file).read_bytes())
        except (OSError, ProtocolError, ValueError) as error:
            raise ConfigError([f"aircraft.stands: {file}: {error}"]) from error

    def _airframes(self) -> "AircraftDatabase | None":
        """Read the file once: it is large."""
        from aerocast_agent.aircraft_database import AircraftDatabase  # noqa: PLC0415  if configured

        file = self._settings.aircraft.database
        if file is None or self._database is not None:
            return self._database
        try:
            self._database = AircraftDatabase.from_csv(Path(file))
        except (OSError, ValueError) as error:
            raise ConfigError([f"aircraft.database: {file}: {error}"]) from error
        return self._database
