"""A gateway enrols, is heard, renews, and once revoked is refused and told so: on real brokers."""

import asyncio
import json
from pathlib import Path

import pytest
from aerocast_agent.renewing import Renewing
from aerocast_simulator.processes import CommandError, Service, free_port

from tests.agent.certificates import certify
from tests.end_to_end.conftest import until
from tests.end_to_end.enrolled import Gateway, certify_hub, copy_of, reaches, start
from tests.mosquitto import mosquitto
from tests.rabbitmq import rabbitmq

DEPLOY = Path(__file__).parents[2] / "deploy"
pytestmark = [
    pytest.mark.timeout(400),  # three real servers and their commands, beside other tests
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # paho's sockets
]


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A hub prepared with an authority of its own, to be copied."""
    return asyncio.run(certify_hub(tmp_path_factory.mktemp("certified")))


async def test_with_mosquitto(tmp_path, certified):
    hub, certificates = copy_of(certified, tmp_path)
    hubs_port = free_port()
    general, listeners = as_shipped(certificates, tmp_path, hubs_port)
    with mosquitto(tmp_path, listeners, general) as broker:

        def hear_of_revoked():  # what deploy/mosquitto's units do when the hub writes anew
            crl = hub.folder / "authority" / "public" / "crl.pem"
            (certificates / "crl.pem").write_bytes(crl.read_bytes())
            broker.reload()

        await start(
            hub,
            certificates,
            broker_url=f"mqtts://127.0.0.1:{hubs_port}",
            gateway_broker_url=f"mqtts://127.0.0.1:{broker.port}",
        )
        await live(hub, tmp_path, broker.port, hear_of_revoked)


def as_shipped(certificates, folder, hubs_port):
    """Give the configuration we ship, for these folders and ports, about its first listener."""
    (folder / "aerocast.acl").write_text((DEPLOY / "mosquitto" / "aerocast.acl").read_text())
    text = (DEPLOY / "mosquitto" / "aerocast.conf").read_text()
    text = text.replace("/etc/mosquitto/certs", str(certificates))
    text = text.replace("/etc/mosquitto/conf.d", str(folder))
    text = text.replace("listener 8884", f"listener {hubs_port} 127.0.0.1")
    general, listeners = text.split("listener 8883\n")
    return general, listeners


async def test_with_rabbitmq(tmp_path, certified):
    hub, certificates = copy_of(certified, tmp_path)
    shipped = (DEPLOY / "rabbitmq" / "aerocast.conf").read_text()
    with rabbitmq(
        tmp_path,
        plugins=("rabbitmq_mqtt", "rabbitmq_auth_backend_http"),
        certificates=certificates,
        configuration=shipped.replace("127.0.0.1:8000", f"127.0.0.1:{hub.port}"),
    ) as broker:
        await start(
            hub,
            certificates,
            broker_url=broker.amqp_url,
            gateway_broker_url=f"mqtts://127.0.0.1:{broker.mqtts_port}",
        )
        await live(hub, tmp_path, broker.mqtts_port, lambda: None)


async def test_a_token_vouches_for_a_hub_that_nobody_knows_yet(tmp_path, certified):
    hub, certificates = copy_of(certified, tmp_path)
    await hub.command("gateway", "add", "lfbo", "hall-1")
    claim = json.loads(await hub.command("gateway", "claim", "lfbo", "hall-1", "--json"))
    hub.environment |= {
        "AEROCAST_HUB_BROKER_URL": "none:",
        "AEROCAST_HUB_HTTP_CERTIFICATE": str(certificates / "broker.pem"),
        "AEROCAST_HUB_HTTP_KEY": str(certificates / "broker.key"),
    }
    hub.process = Service("aerocast-hub", ["serve"], hub.environment, hub.folder / "hub.log")
    await hub.process.start()
    gateway, url = Gateway(tmp_path / "a", "hall-1"), f"https://127.0.0.1:{hub.port}"

    async def enrol(token):
        try:
            said = await gateway.command("enrol", "--hub", url, "--token", "-", given=token)
        except CommandError as error:
            return str(error)
        return said["name"]

    try:
        secret, _, pin = claim["token"].partition(".")
        doubt = "neither this machine nor the token vouches"
        wrong = f"{secret}.{pin[::-1]}"
        assert doubt in await until(lambda: enrol(wrong), lambda said: doubt in said)
        assert "not trusted here" in await enrol(secret)  # without its pin: --ca FILE
        assert await enrol(claim["token"]) == "hall-1"
        assert f'http = "{url}"' in gateway.file.read_text()
        # From now on it knows the authority, and renews over the same way.
        first = gateway.certificate()
        await gateway.command("enrol", "--renew")
        assert gateway.certificate() != first
    finally:
        await hub.process.stop()


async def live(hub, folder, port, hear_of_revoked):
    """Two gateways live through everything; one of them is revoked in the end."""
    gateway, other = Gateway(folder / "a", "hall-1"), Gateway(folder / "b", "hall-2")
    try:
        for each in (gateway, other):
            told = await each.enrol(hub)
            assert told["name"] == each.name
            assert told["broker"] == f"mqtts://127.0.0.1:{port}"
        await check_renewal(hub, gateway)
        await check_names(hub, gateway, other, port)
        await check_orders(hub, gateway, other, port)
        await check_strangers(gateway, port, folder)
        await check_revocation(hub, gateway, other, port, hear_of_revoked)
    finally:
        await gateway.process.stop()
        await hub.process.stop()


async def check_renewal(hub, gateway):
    """At two thirds of its life a certificate is renewed, and the link made anew with it."""
    first = gateway.is_to_renew_now()
    await gateway.process.start()

    async def certificate():
        return gateway.certificate()

    assert await until(certificate, lambda content: content != first) != first

    async def waits():  # until the certificate is written
        return (gateway.identity / "waiting.key").exists()

    assert not await until(waits, lambda is_there: not is_there)
    assert len((await hub.client.get(f"{gateway.path}/certificates"))["items"]) == 2
    said = await gateway.until(
        lambda said: said.link["connected"] and said.devices["desk"] == "connected"
    )
    assert said.degraded is None
    gateway.scanner.scan("0220000001")

    async def seen():
        page = await hub.client.get("/api/observations?kind=code_scan")
        return [each["observation"]["licence_plate"] for each in page["items"]]

    assert await until(seen, bool) == ["0220000001"]


async def check_names(hub, gateway, other, port):
    """A gateway speaks and hears under its own name, and under no other."""
    way, name, own = other.way(port), other.client_id, f"{other.down}/ack"
    # The hub cannot read it, and says so: this way works.
    assert await reaches(way, name, own, f"{other.up}/0", within_s=60) == own
    await reaches(way, name, own, f"{gateway.up}/0")
    assert await reaches(way, name, f"{gateway.down}/ack", f"{gateway.up}/0") != (
        f"{gateway.down}/ack"
    )
    kept = await hub.client.get("/api/quarantine")
    assert {each["topic"] for each in kept["items"]} == {f"{other.up}/0"}


async def check_orders(hub, gateway, other, port):
    """A gateway does what its hub orders, and hears nothing of what another gateway orders."""
    await reaches(other.way(port), other.client_id, f"{other.down}/ack", f"{gateway.down}/command")

    async def state():
        return (await hub.client.get(gateway.path))["state"]

    assert await until(state, lambda said: said == "online") == "online"
    given = await hub.client.post(f"{gateway.path}/orders", {"verb": "ping"})

    async def order():
        orders = (await hub.client.get(f"{gateway.path}/orders"))["items"]
        return next(each for each in orders if each["id"] == given["id"])

    found = await until(order, lambda found: found["state"] != "waiting")
    assert (found["state"], found["output"]) == ("done", "pong")
    said = gateway.process.log.read_text()
    assert "the hub orders ping" in said
    assert "command cannot be read" not in said  # the other's would have been


async def check_strangers(gateway, port, folder):
    """Whoever has no certificate of the hub's authority is not let in."""
    certify(folder, "stranger")
    topic = f"{gateway.down}/ack"
    stranger = gateway.way(port)._replace(
        certificate=str(folder / "stranger.pem"), key=str(folder / "stranger.key")
    )
    assert await reaches(stranger, "stranger", topic) == "refused"
    nobody = stranger._replace(certificate=None, key=None, user="lfbo/hall-1", password="")
    assert await reaches(nobody, "nobody", topic) == "refused"


async def check_revocation(hub, gateway, other, port, hear_of_revoked):
    """A revoked gateway is refused and told so, and keeps all it sees; others go on."""
    await hub.command("gateway", "revoke", "lfbo", gateway.name)
    hear_of_revoked()

    async def again():
        return await reaches(gateway.way(port), gateway.client_id, f"{gateway.down}/ack")

    assert await until(again, lambda became: became == "refused") == "refused"
    gateway.scanner.scan("0220000002")
    await gateway.until(lambda said: said.waiting > 0)
    with pytest.raises(CommandError, match="certificate is revoked; what it has seen is safe"):
        await gateway.command("enrol", "--renew", "--hub", hub.url)
    renewing = Renewing(hub.url, gateway.identity, lambda: False, list, unheard_for_s=0.0)
    await renewing.look()
    await asyncio.sleep(0.01)
    await renewing.look()
    assert renewing.problem is not None
    assert "revoked" in renewing.problem
    topic = f"{other.down}/ack"
    assert await reaches(other.way(port), other.client_id, topic) == "nothing"
    assert (await gateway.until(lambda said: said.waiting > 0)).dead == 0
