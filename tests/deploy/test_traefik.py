"""The proxy's map of paths, against the routes that the services really have."""

import re
from pathlib import Path

import pytest
from aerocast_hub.app import CLIENT_SHARE, create_app
from aerocast_hub.services import REGISTRY
from aerocast_hub.settings import Settings

from tests.deploy.folder import DEPLOY, read_yaml

# Every service has them; which one answers is all the same.
SHARED = re.compile(r"^/(health|docs|static|live)(/|$)")
INSIDE = re.compile(r"^/(metrics|mqtt|internal)(/|$)")


@pytest.fixture(scope="module")
def dynamic():
    return read_yaml("traefik", "dynamic", "hub.yaml")["http"]


def led_to(dynamic, path):
    """Which service a path leads to: as Traefik ranks rules, by priority and else by length."""

    def rank(router):
        return router.get("priority") or len(router["rule"])

    matching = [
        router
        for router in dynamic["routers"].values()
        if "websecure" in router["entryPoints"] and _matches(router["rule"], path)
    ]
    return max(matching, key=rank)


def _matches(rule, path):
    return any(
        path == given if kind == "Path" else path.startswith(given)
        for kind, given in re.findall(r"(Path|PathPrefix)\(`([^`]+)`\)", rule)
    )


def test_every_route_leads_to_the_service_that_has_it(dynamic, tmp_path):
    homes = {}
    for name in REGISTRY:
        app = create_app(Settings(data_dir=Path(tmp_path), mode="dev"), [name])
        for route in app.routes:
            homes.setdefault(route.path, set()).add(name)
    wrong = [
        f"{path} of {sorted(services)} is led to {led_to(dynamic, path)['service']}"
        for path, services in sorted(homes.items())
        if not SHARED.match(path)
        and not INSIDE.match(path)
        and led_to(dynamic, path)["service"] not in services
    ]
    assert wrong == []


@pytest.mark.parametrize("path", ["/metrics", "/mqtt/auth", "/mqtt/acl", "/internal/bags"])
def test_what_is_for_inside_is_shut_from_outside(dynamic, path):
    assert led_to(dynamic, path)["middlewares"] == ["nobody"]


def test_routers_name_what_there_is(dynamic):
    static = read_yaml("traefik", "traefik.yaml")
    for name, router in dynamic["routers"].items():
        assert router["service"] in dynamic["services"], name
        assert set(router["middlewares"]) <= set(dynamic["middlewares"]), name
        assert set(router["entryPoints"]) <= set(static["entryPoints"]), name
    for name, service in REGISTRY.items():
        (server,) = dynamic["services"][name]["loadBalancer"]["servers"]
        assert server["url"] == f"http://{name}:{service.port}"
        assert static["entryPoints"][name]["address"] == f":{service.port}"


def test_plain_http_leads_to_https_and_old_tls_is_refused():
    static = read_yaml("traefik", "traefik.yaml")
    redirection = static["entryPoints"]["web"]["http"]["redirections"]["entryPoint"]
    assert (redirection["to"], redirection["scheme"]) == ("websecure", "https")
    options = read_yaml("traefik", "dynamic", "hub.yaml")["tls"]["options"]["default"]
    assert options["minVersion"] == "VersionTLS12"


def test_slow_idle_and_too_many_clients_are_bounded(dynamic):
    static = read_yaml("traefik", "traefik.yaml")
    timeouts = static["entryPoints"]["websecure"]["transport"]["respondingTimeouts"]
    assert 0 < seconds(timeouts["readTimeout"]) <= 60
    assert 0 < seconds(timeouts["idleTimeout"]) <= 180
    patience_s = Settings.model_fields["http_patience_s"].default
    # Else a request would now and then meet a connection the hub is just closing.
    assert seconds(static["serversTransport"]["forwardingTimeouts"]["idleConnTimeout"]) < patience_s
    connections = Settings.model_fields["http_connections"].default
    assert dynamic["middlewares"]["crowd"]["inFlightReq"]["amount"] == connections // CLIENT_SHARE
    open_to_all = [
        name
        for name, router in dynamic["routers"].items()
        if not {"nobody", "crowd"} & set(router["middlewares"])
    ]
    assert open_to_all == []


def test_nothing_holds_live_streams_back(dynamic):
    assert [each for each in dynamic["middlewares"].values() if "buffering" in each] == []
    assert dynamic["middlewares"]["shrink"]["compress"]["excludedContentTypes"] == [
        "text/event-stream"
    ]
    static = read_yaml("traefik", "traefik.yaml")
    for entry in static["entryPoints"].values():
        timeouts = entry.get("transport", {}).get("respondingTimeouts", {})
        assert seconds(timeouts.get("writeTimeout", "0s")) == 0


def seconds(text):
    assert text.endswith("s"), text
    return int(text.removesuffix("s"))


def test_neither_paths_nor_headers_are_logged():
    fields = read_yaml("traefik", "traefik.yaml")["accessLog"]["fields"]
    assert fields["names"]["RequestPath"] == "drop"
    assert fields["headers"]["defaultMode"] == "drop"


def test_kubernetes_leads_the_same_paths_to_the_same_services(dynamic):
    ingress = (DEPLOY / "kubernetes" / "airport" / "ingress.yaml").read_text()
    led = dict(
        re.findall(r"path: (\S+), pathType: Prefix, backend: \{ service: \{ name: (\w+)", ingress)
    )
    for name in ("auth", "weather", "orientation"):
        for _, path in re.findall(
            r"(Path|PathPrefix)\(`([^`]+)`\)", dynamic["routers"][name]["rule"]
        ):
            assert led.pop(path.rstrip("/"), None) == name, path
    for inside in ("/internal", "/metrics", "/mqtt"):
        assert led.pop(inside, None) == "nowhere", inside
    assert led == {"/": "baggage"}
