"""compose.yaml, by the real docker-compose without an engine."""

import os
import shutil
import subprocess

import pytest
from aerocast_hub.services import REGISTRY
from aerocast_hub.settings import PREFIX, Settings

from tests.deploy.folder import DEPLOY, find_checker, read_yaml

PROFILES = ("core", "rabbitmq", "s3", "timescale", "observability", "elk")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of deploy/, made ready as its README says."""
    copy = tmp_path_factory.mktemp("airport") / "deploy"
    shutil.copytree(DEPLOY, copy)
    shutil.copy(copy / ".env.example", copy / ".env")
    subprocess.run(["./make-secrets"], cwd=copy, check=True, capture_output=True)
    return copy


def compose(folder, *arguments, profiles=PROFILES):
    return subprocess.run(
        [find_checker("docker-compose"), *arguments],
        cwd=folder,
        env={**os.environ, "COMPOSE_PROFILES": ",".join(profiles)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "profiles", [PROFILES[:1], *((PROFILES[0], each) for each in PROFILES[1:])]
)
def test_every_profile_is_a_configuration_docker_compose_accepts(folder, profiles):
    checked = compose(folder, "config", "--quiet", profiles=profiles)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_mistake_is_not_accepted(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "deploy")
    wrong = tmp_path / "deploy" / "compose.yaml"
    wrong.write_text(wrong.read_text().replace("service_healthy", "service_happy"))
    assert compose(wrong.parent, "config", "--quiet").returncode != 0


def test_the_core_is_the_proxy_the_four_services_and_their_engines(folder):
    named = compose(folder, "config", "--services", profiles=["core"]).stdout.split()
    services = {"auth", "baggage", "weather", "orientation"}
    assert set(named) == services | {"traefik", "migrate", "postgres", "valkey", "mosquitto"}


def test_without_its_host_name_nothing_starts(folder):
    (folder / "empty.env").write_text("")
    refused = compose(folder, "--env-file", "empty.env", "config", "--quiet")
    assert refused.returncode != 0
    assert "the name people reach the hub by" in refused.stderr


def test_secrets_are_made_once_kept_and_shut_away(folder):
    before = {each.name: each.read_text() for each in (folder / "secrets").iterdir()}
    again = subprocess.run(["./make-secrets"], cwd=folder, check=True, capture_output=True)
    assert again.stdout == b""
    assert {each.name: each.read_text() for each in (folder / "secrets").iterdir()} == before
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert all(before.values())
    assert before["database_password"] in before["database_url"]
    assert before["redis_password"] in before["redis_url"]
    settings = Settings(
        database_url=before["database_url"],
        broker_url=before["broker_url"],
        redis_url=before["redis_url"],
        secret_key=before["secret_key"],
    )
    assert settings.mode == "production"


def test_every_secret_compose_names_is_made(folder):
    for name, secret in read_yaml("compose.yaml")["secrets"].items():
        assert (folder / secret["file"]).is_file(), name


def test_every_file_a_container_reads_is_there(folder):
    for name, service in read_yaml("compose.yaml")["services"].items():
        for mount in service.get("volumes", ()):
            source = str(mount).partition(":")[0]
            if source.startswith("./") and source not in ("./hub", "./certificates"):
                assert (folder / source).exists(), f"{name} mounts {source}"


def test_every_container_is_held_on_a_short_lead(folder):
    for name, service in read_yaml("compose.yaml")["services"].items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        version = service["image"].rpartition(":")[2]
        assert "latest" not in version, name
        assert "/var/run/docker.sock" not in str(service.get("volumes", "")), name
        for setting, value in (service.get("environment") or {}).items():
            is_secret = setting.endswith(("PASSWORD", "SECRET", "KEY", "DATABASE_URL"))
            assert not is_secret or value.startswith("/"), (
                f"{name}: {setting}={value} belongs into a file"
            )


def test_every_setting_of_the_hub_is_one(folder):
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for service in read_yaml("compose.yaml")["services"].values():
        for name in service.get("environment") or {}:
            if name.startswith(PREFIX):
                assert name.removesuffix("_FILE") in known


def test_orientation_is_told_where_to_ask_the_others():
    given = read_yaml("compose.yaml")["services"]["orientation"]["environment"]
    for name in ("baggage", "weather"):
        assert given[f"{PREFIX}{name.upper()}_URL"] == f"http://{name}:{REGISTRY[name].port}"


def test_every_version_in_the_example_is_used():
    text = (DEPLOY / "compose.yaml").read_text()
    for line in (DEPLOY / ".env.example").read_text().splitlines():
        name, _, value = line.partition("=")
        if name.endswith("_VERSION"):
            assert f"${{{name}:-{value}}}" in text
