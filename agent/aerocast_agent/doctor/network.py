"""The way to the hub, from names to web pages: every step that can fail by itself."""

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from aerocast_agent import clock
from aerocast_agent.config import (
    R700,
    AdsbAvr,
    AdsbBeast,
    AdsbRtlTcp,
    AdsbSbs,
    Config,
    Gpsd,
    Llrp,
    NetworkReader,
    TcpScanner,
)
from aerocast_agent.doctor.check import Check, doubtful, failed, skipped, well
from aerocast_agent.enrolment.hub import EnrolmentError, HubAddress, trusting
from aerocast_agent.enrolment.identity import folder_of, web_authorities
from aerocast_agent.mqtt_link import DEFAULT_PORTS
from aerocast_agent.probing import mend_of
from aerocast_agent.status import Status
from aerocast_agent.tls import context_for
from aerocast_agent.ways import ways_of

WITHIN_S = 5.0
SET_CLOCK = "set this machine's clock first: sudo timedatectl set-ntp true"
EXPIRES_SOON_S = 14 * 24 * 3600
CLOCKS_DIFFER_S = 60
NetworkDevice = (
    Llrp | NetworkReader | TcpScanner | Gpsd | AdsbBeast | AdsbAvr | AdsbSbs | AdsbRtlTcp
)
_RESOLVER = "'resolvectl query {host}' shows who answers; check the cable and /etc/resolv.conf"


class Place(NamedTuple):
    """A host and port, and how it is called in agent.toml."""

    name: str
    host: str
    port: int
    scheme: str


def brokers(settings: Config) -> list[Place]:
    """Name the brokers configured."""
    hub = settings.hub
    urls = [("broker", hub.broker)] + ([("broker_v3", hub.broker_v3)] if hub.broker_v3 else [])
    places = []
    for name, url in urls:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        places.append(Place(name, parts.hostname or "", port, parts.scheme))
    return places


def check_way(place: Place, settings: Config) -> Iterator[Check]:
    """Look at name, port and, with mqtts, certificates of one broker; ends at what fails."""
    named = check_name(place)
    yield named
    if named.result == "failed":
        yield skipped(f"{place.name} port", "its host has no address")
        return
    opened = check_port(place, "the broker runs and no firewall is between")
    yield opened
    if place.scheme == "mqtts":
        if opened.result == "well":
            yield check_certificates(place, settings)
        else:
            yield skipped(f"{place.name} TLS", "its port does not answer")


def check_name(place: Place) -> Check:
    """See whether a host has an address."""
    name = f"{place.name} DNS"
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return failed(name, f"{place.host}: {worded(error)}", _RESOLVER.format(host=place.host))
    address = found[0][4][0]
    return well(name, f"{place.host} is {address if address != place.host else 'an address'}")


def check_port(place: Place, mend: str) -> Check:
    """See whether something listens."""
    name = f"{place.name} port"
    began_s = time.monotonic()
    try:
        socket.create_connection((place.host, place.port), WITHIN_S).close()
    except OSError as error:
        return failed(name, f"{place.host}:{place.port}: {worded(error)}", f"see that {mend}")
    took_ms = (time.monotonic() - began_s) * 1000
    return well(name, f"{place.host}:{place.port} answers in {took_ms:.0f} ms")


def check_certificates(place: Place, settings: Config) -> Check:
    """See whether broker and gateway trust each other, and for how long yet."""
    name = f"{place.name} TLS"
    hub = settings.hub
    try:
        passed_s = ways_of(settings)[0].passed_s
        context = context_for(hub.certificate, hub.key, hub.ca, passed_s)
    except (OSError, ValueError) as error:
        return failed(
            name, f"certificate, key or ca: {error}",
            "see that the files named in [hub] are PEM, belong together, and may be read",
        )  # fmt: skip
    try:
        with (
            socket.create_connection((place.host, place.port), WITHIN_S) as plain,
            context.wrap_socket(plain, server_hostname=place.host) as secured,
        ):
            secured.settimeout(WITHIN_S)
            ends = str((secured.getpeercert() or {}).get("notAfter", ""))
            version = secured.version()
    except ssl.SSLCertVerificationError as error:
        return failed(name, f"the broker's certificate: {error.verify_message}", _mend(error))
    except OSError as error:
        return failed(
            name, f"{error}",
            "if the broker asks for one, [hub] certificate and key must be of its authority",
        )  # fmt: skip
    if time.time() < passed_s:
        return doubtful(
            name, f"this machine's clock is wrong ({datetime.now(UTC):%Y-%m-%d}): when certificates"
            " begin is not looked at",
            SET_CLOCK,
        )  # fmt: skip
    left_s = ssl.cert_time_to_seconds(ends) - time.time()
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC).date()
    if left_s < EXPIRES_SOON_S:
        return doubtful(
            name, f"the broker's certificate ends on {until}", "have it renewed at the broker"
        )
    return well(name, f"{version}, the broker's certificate is trusted until {until}")


def _mend(error: ssl.SSLCertVerificationError) -> str:
    # X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED, openssl x509_vfy.h
    if error.verify_code in {9, 10} and clock.quality() < clock.NETWORK:
        return SET_CLOCK
    if error.verify_code == 10:
        return "have the broker's certificate renewed"
    if error.verify_code in {62, 64}:  # host or IP address mismatch
        return "name the broker in agent.toml as its certificate does"
    return "[hub] ca must name the authority that signed the broker's certificate"


def check_web(settings: Config) -> Check:
    """See whether the hub's web side is well, and whether its clock agrees with ours."""
    url = settings.hub.http
    if url is None:
        return skipped("hub web", "[hub] http is not set")
    parts = urlsplit(url)
    try:
        port = parts.port
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            hub = HubAddress(url, web_authorities(folder_of(settings.spool.path)))
            connection = http.client.HTTPSConnection(
                parts.hostname or "", port, timeout=WITHIN_S, context=trusting(hub)
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", port, timeout=WITHIN_S)
        try:
            connection.request("GET", parts.path.rstrip("/") + "/health")
            answer = connection.getresponse()
            answer.read(65536)
        finally:
            connection.close()
    except (OSError, ValueError, EnrolmentError, http.client.HTTPException) as error:
        return failed(
            "hub web",
            f"{url}: {worded(error)}",
            "see that the hub runs: aerocast-hub serve; check [hub] http",
        )
    if answer.status != 200:
        return failed(
            "hub web",
            f"{url}/health answers {answer.status}",
            "500 is the hub's database: see its log; else check [hub] http",
        )
    return _compare_clocks(url, answer.getheader("date"))


def worded(error: Exception) -> str:
    """Give the system's words without its numbers."""
    words = error.strerror if isinstance(error, OSError) else None
    return words or str(error) or type(error).__name__


def _compare_clocks(url: str, date: str | None) -> Check:
    try:
        theirs_s = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return well("hub web", f"{url} is well")
    differ_s = time.time() - theirs_s
    if abs(differ_s) > CLOCKS_DIFFER_S:
        return doubtful(
            "hub web",
            f"{url} is well, but this machine's clock is {differ_s:+.0f} s from the hub's",
            "sudo timedatectl set-ntp true, here and at the hub",
        )
    return well("hub web", f"{url} is well, its clock agrees to {abs(differ_s):.0f} s")


def check_network_device(device: NetworkDevice, status: Status) -> Check:
    """See whether a device on the network is there, asking the daemon when it holds it."""
    name = f"device {device.name}"
    state = status.devices.get(device.name)
    if isinstance(device, NetworkReader) and device.listen is not None:
        return _listener(name, f"{device.listen}:{device.port}", state, status)
    place = _place(device)
    if state == "connected":
        return well(name, f"connected to {place.host}:{place.port}")
    if state in {"lost", "connecting"}:
        told = status.device_errors.get(device.name, state)
        return failed(name, told, mend_of(told))
    named = check_name(place)
    found = named
    if named.result == "well":
        found = check_port(place, "the device is powered, and no other program holds it")
    return Check(check=name, result=found.result, found=found.found, mend=found.mend)


def _listener(name: str, where: str, state: str | None, status: Status) -> Check:
    if state == "connected":
        return well(name, f"listens at {where}")
    if state is None or state == "unknown":
        return skipped(name, f"the daemon is down: nobody listens at {where}")
    told = status.device_errors.get(name.removeprefix("device "), state)
    return failed(name, told, f"'ss -ltnp' says which program has {where}")


def _place(device: NetworkDevice) -> Place:
    name = f"device {device.name}"
    if not isinstance(device, NetworkReader):
        return Place(name, device.host, device.port, "tcp")
    url = urlsplit((device.url if isinstance(device, R700) else None) or device.broker or "")
    ports = {**DEFAULT_PORTS, "http": 80, "https": 443}
    return Place(name, url.hostname or "", url.port or ports[url.scheme], "tcp")
