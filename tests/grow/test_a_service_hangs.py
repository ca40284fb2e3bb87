"""A service that hangs, its process stopped and its port open: worse than one that is gone."""

import asyncio
import contextlib
import re
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from aerocast_simulator.processes import free_port

from tests.grow.test_every_shape import PASSWORD, PLATE, lay_out
from tests.grow.town import HubProcess
from tests.hub.postgresql import find_binaries, running_postgresql
from tests.servers import find_server

DEPLOY = Path(__file__).parents[2] / "deploy"
ADVICE = f"/api/guidance/preview/{PLATE}"
PATIENCE_S = 120
# Three tries of two seconds and the pauses between them, on a machine that has other things to do.
NOBODY_WAITS_LONGER_S = 30
SCRAPES = """
global: {{ scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s }}
rule_files: [alerts.yaml]
scrape_configs:
  - job_name: aerocast-hub
    static_configs: [{{ targets: [{targets}] }}]
"""


@contextlib.contextmanager
def three_processes(folder, database_url):
    """Weather and baggage, and orientation, which asks both."""

    def process(name, services, **settings):
        return HubProcess(
            folder / name,
            data_dir=folder / "data",
            database_url=database_url,
            services=services,
            broker_url="none:",
            metrics="anyone",
            **settings,
        )

    weather = process("weather", "weather", metar_files=folder / "LFBO.txt")
    baggage = process("baggage", "baggage")
    orientation = process(
        "orientation", "auth,orientation", weather_url=weather.url, baggage_url=baggage.url
    )
    hubs = {"orientation": orientation, "weather": weather, "baggage": baggage}
    try:
        for hub in hubs.values():
            hub.start()
        for hub in hubs.values():
            hub.wait()
        yield hubs
    finally:
        for hub in hubs.values():
            hub.kill()


class Prometheus:
    """Looks at hubs each second, by the alerts of `deploy/` in seconds instead of minutes."""

    def __init__(self, folder, hubs):
        folder.mkdir()
        targets = ", ".join(f'"127.0.0.1:{hub.port}"' for hub in hubs)
        (folder / "prometheus.yaml").write_text(SCRAPES.format(targets=targets))
        alerts = (DEPLOY / "prometheus" / "alerts.yaml").read_text()
        alerts = re.sub(r"for: \d+m", "for: 1s", re.sub(r"\[\d+m\]", "[10s]", alerts))
        (folder / "alerts.yaml").write_text(alerts)
        self._url = f"http://127.0.0.1:{free_port()}"
        self._arguments = [
            find_server("prometheus"),
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'kept'}",
            f"--web.listen-address={self._url.removeprefix('http://')}",
        ]

    @contextlib.contextmanager
    def running(self):
        process = subprocess.Popen(
            self._arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield self
        finally:
            process.kill()
            process.wait()

    async def alerts(self):
        """Give the alerts that are on now: name, and of which service or process."""
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.get(f"{self._url}/api/v1/alerts", timeout=5)
                told = answer.raise_for_status().json()["data"]["alerts"]
            except httpx.HTTPError:
                return None
        return {
            (
                each["labels"]["alertname"],
                each["labels"].get("service") or each["labels"]["instance"],
            )
            for each in told
            if each["state"] == "firing"
            and each["labels"]["alertname"] in ("HubDown", "ServiceAway")
        }

    async def until(self, wanted):
        """Wait until just these alerts are on."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.alerts() != wanted:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.2)


@pytest.fixture
async def airport(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_postgresql(find_binaries()))
        database_url = f"postgresql+asyncpg://hub@/postgres?host={server}"
        monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)
        await lay_out(tmp_path)
        monkeypatch.delenv("AEROCAST_HUB_DATABASE_URL")
        start = stack.enter_context
        hubs = await asyncio.to_thread(start, three_processes(tmp_path, database_url))
        prometheus = start(Prometheus(tmp_path / "prometheus", hubs.values()).running())
        url = hubs["orientation"].url
        async with httpx.AsyncClient(base_url=url, timeout=NOBODY_WAITS_LONGER_S) as client:
            answer = await client.post("/auth/login", json={"name": "op", "password": PASSWORD})
            client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
            yield hubs, prometheus, client


async def left_alone(hub, service):
    """Say how often a service was not asked because it did not answer before."""
    name = f'questions_total{{outcome="left_alone",service="{service}"}}'
    return await asyncio.to_thread(hub.counter, f"aerocast_hub_service_{name}")


async def ask(client):
    """Ask for advice; the answer comes in time, and if it is none, it says that baggage is why.

    Baggage itself may be too slow for once, on a machine that has other things to do.
    """
    answer = await client.get(ADVICE)
    assert answer.status_code in (200, 503), answer.text
    if answer.status_code == 503:
        assert "the baggage service does not answer" in answer.json()["detail"]
    return answer


async def ask_until(client, is_so):
    """Ask for advice until an answer is as wished."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so(answer := await ask(client)):  # noqa: ASYNC110  another process
            await asyncio.sleep(0.2)
    return answer


def is_advice(answer):
    return answer.status_code == 200


def knows_the_weather(answer):
    return is_advice(answer) and "unknown_weather" not in {
        each["key"] for each in answer.json()["unknown"]
    }


@pytest.mark.timeout(600)
async def test_who_hangs_is_asked_no_more_told_of_and_asked_again_when_it_goes_on(airport):
    hubs, prometheus, client = airport
    orientation, weather, baggage = (hubs[each] for each in ("orientation", "weather", "baggage"))
    await ask_until(client, knows_the_weather)

    # Weather hangs: advice comes all the same and says that nobody knows the weather.
    weather.process.send_signal(signal.SIGSTOP)
    while not await left_alone(orientation, "weather"):
        answer = await ask_until(client, is_advice)
        assert not knows_the_weather(answer)
        assert answer.json()["belt"] == "4"
    down = ("HubDown", f"127.0.0.1:{weather.port}")
    asking = asyncio.create_task(keep_asking(client))
    await prometheus.until({down, ("ServiceAway", "weather")})
    asking.cancel()
    weather.process.send_signal(signal.SIGCONT)
    await ask_until(client, knows_the_weather)

    # Baggage hangs: nobody can be advised, and every answer says why.
    baggage.process.send_signal(signal.SIGSTOP)
    before = await left_alone(orientation, "baggage")
    while await left_alone(orientation, "baggage") == before:
        assert not is_advice(await ask(client))
    assert (await client.get("/health")).is_success
    assert (await client.get("/auth/me")).is_success
    baggage.process.send_signal(signal.SIGCONT)
    found = await ask_until(client, is_advice)
    assert found.json()["belt"] == "4"
    await prometheus.until(set())
    for hub in hubs.values():
        await asyncio.to_thread(hub.stop)


async def keep_asking(client):
    while True:
        await client.get(ADVICE)
        await asyncio.sleep(0.2)
