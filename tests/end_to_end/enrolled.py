"""A hub with an authority of its own and gateways that enrol there, as their people run them."""

import asyncio
import gc
import json
import shutil

from aerocast_agent.asking import ask_daemon
from aerocast_agent.mqtt_link import Broker, Link, LinkError
from aerocast_simulator.processes import Service, call
from aerocast_simulator.serial_devices import PtyScanner
from aerocast_simulator.town import Hub

from tests.end_to_end.conftest import until

SITE = "lfbo"


async def certify_hub(folder):
    """Prepare a hub and, in ``folder/certificates``, what a broker beside it needs."""
    hub = Hub(folder / "hub", metars=None)
    await hub.prepare()
    certificates = str(folder / "certificates")
    await hub.command("ca", "issue", "broker", "--host", "127.0.0.1", "--out", certificates)
    await hub.command("ca", "issue", "hub", "--out", certificates)
    await hub.command("ca", "export", certificates)
    return folder, hub.password


def copy_of(certified, folder):
    """Give a hub of the test's own, prepared before, and its broker's files."""
    prepared, password = certified
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    hub = Hub(folder / "hub", metars=None)
    hub.password = password
    return hub, folder / "certificates"


async def start(hub, certificates, **settings):
    """Start it as a client of a broker, with that certificate; settings say which."""
    settings |= {
        "broker_ca": certificates / "authority.pem",
        "broker_certificate": certificates / "hub.pem",
        "broker_key": certificates / "hub.key",
    }
    hub.environment |= {
        f"AEROCAST_HUB_{name.upper()}": str(value) for name, value in settings.items()
    }
    hub.process = Service("aerocast-hub", ["serve"], hub.environment, hub.folder / "hub.log")
    await hub.start()


class Gateway:
    """A gateway with one scanner at a desk, enrolled with a token."""

    def __init__(self, folder, name):
        folder.mkdir()
        self.name, self.path = name, f"/api/gateways/{SITE}/{name}"
        self.up, self.down = (f"aerocast/1/{SITE}/{name}/{way}" for way in ("up", "down"))
        self.client_id = f"{SITE}.{name}"
        self.file, self.identity = folder / "agent.toml", folder / "identity"
        self.spool = str(folder / "spool.db")
        self.scanner = PtyScanner()
        self.file.write_text(
            f'# by hand\n[gateway]\nsite = "{SITE}"\nname = "{name}"\n\n'
            f'[spool]\npath = "{self.spool}"\nbudget_mb = 16\n\n'
            f'[[device]]\nname = "desk"\nkind = "serial_scanner"\nport = "{self.scanner.path}"\n'
        )
        self.process = Service(
            "aerocast-agent", ["run", "--config", str(self.file)], {}, folder / "agent.log"
        )

    async def command(self, *words, given=""):
        said = await call(
            "aerocast-agent", *words, "--config", str(self.file), "--json",
            environment={}, given=given,
        )  # fmt: skip
        return json.loads(said)

    async def enrol(self, hub):
        """Have an operator make a token, and enrol with it."""
        await hub.client.post("/api/gateways", {"site": SITE, "name": self.name})
        claim = await hub.client.post(f"{self.path}/claim", {})
        given = claim["token"] + "\n"
        return await self.command("enrol", "--hub", hub.url, "--token", "-", given=given)

    def is_to_renew_now(self):
        """Set the day of renewal back to when the certificate was given; give the certificate."""
        dates = self.identity / "identity.json"
        told = json.loads(dates.read_text())
        lasts_us = told["ends_at_us"] - told["issued_at_us"]
        assert told["renew_at_us"] == told["issued_at_us"] + lasts_us * 2 // 3
        dates.write_text(json.dumps(told | {"renew_at_us": told["issued_at_us"]}))
        return self.certificate()

    def certificate(self):
        return (self.identity / "gateway.pem").read_bytes()

    async def until(self, good):
        """Wait until the daemon says what is good; give it."""

        async def look():
            return await asyncio.to_thread(ask_daemon, self.spool)

        said = await until(look, lambda said: said is not None and good(said))
        assert said is not None
        assert good(said), said
        return said

    def way(self, port):
        """Give how this gateway's certificate gets to the broker."""
        own, ca_file = (str(self.identity / name) for name in ("gateway.pem", "authority.pem"))
        return Broker(f"mqtts://127.0.0.1:{port}", 3, own, None, ca_file)


async def reaches(way, client_id, topic, publish=None, within_s=1.0):
    """Connect, subscribe, publish; say what became of it: refused, dropped, or what was heard."""
    heard = asyncio.Queue()
    link = Link(way, client_id, None, lambda topic, _: heard.put_nowait(topic))
    try:
        await link.open([topic])
    except LinkError:
        del link
        gc.collect()  # paho leaves a socket whose handshake failed to the garbage collector
        return "refused"
    waiting = [asyncio.ensure_future(heard.get()), asyncio.ensure_future(link.lost.wait())]
    try:
        if publish is not None:
            link.publish(publish, b"\x00")
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=within_s)
        if not done:
            return "nothing"
        return waiting[0].result() if waiting[0] in done else "dropped"
    finally:
        for each in waiting:
            each.cancel()
        await link.close()
