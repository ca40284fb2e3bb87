"""The ways to the hub that a configuration names."""

from pathlib import Path

from aerocast_agent import clock
from aerocast_agent.config import Config
from aerocast_agent.mqtt_link import Broker


def brokers_of(
    url: str,
    url_v3: str | None,
    files: tuple[str | None, ...],
    passed_s: float = 0.0,
    login: str | None = None,
) -> list[Broker]:
    """Give the ways to connect in the order they are tried: MQTT 5, then 3.1.1."""
    certificate, key, ca = files
    newest = Broker(url, 5, certificate, key, ca, passed_s=passed_s, login=login, is_the_hubs=True)
    return [newest, newest._replace(url=url_v3 or url, version=3)]


def ways_of(settings: Config) -> list[Broker]:
    """Give the ways to the hub that a configuration names, in the order they are tried."""
    hub = settings.hub
    files = (hub.certificate, hub.key, hub.ca)
    written = (settings.spool.path, *(each for each in files if each is not None))
    passed_s = clock.passed_s(*map(Path, written))
    return brokers_of(hub.broker, hub.broker_v3, files, passed_s, hub.login)
