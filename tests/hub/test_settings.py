import stat
from pathlib import Path

import pytest
from aerocast_hub.settings import Settings, SettingsError, load_settings

LONG_KEY = "fK2xQ7vB4mZ8tR1wY6pL3sD5gHcN9jWe"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_environment_wins_over_files_it_names_and_these_over_hub_toml(tmp_path, monkeypatch):
    (tmp_path / "hub.toml").write_text(
        'http_host = "toml"\nlog_format = "text"\nsecret_key = "of-toml"\nmode = "dev"\n'
    )
    (tmp_path / "key").write_text("of-file\n")
    monkeypatch.setenv("AEROCAST_HUB_SECRET_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("AEROCAST_HUB_HTTP_HOST", "environment")
    settings = load_settings()
    assert settings.http_host == "environment"
    assert settings.signing_key() == "of-file"
    assert settings.log_format == "text"
    assert load_settings(http_host="argument").http_host == "argument"


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    settings = load_settings(data_dir=tmp_path / "new")
    key = settings.signing_key()
    kept = tmp_path / "new" / "secret.key"
    assert len(key) >= 32
    assert load_settings(data_dir=tmp_path / "new").signing_key() == key
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_key_file_that_was_emptied_is_refused(tmp_path):
    (tmp_path / "secret.key").write_text("")
    with pytest.raises(SettingsError, match="holds no secret key"):
        load_settings(data_dir=tmp_path).signing_key()


@pytest.mark.parametrize("mode", ["dev", "demo"])
def test_a_short_key_will_do_for_trying_out(mode):
    settings = load_settings(mode=mode, secret_key="short")  # noqa: S106  the point of the test
    assert settings.signing_key() == "short"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"secret_key": "short"}, "secret_key: shorter than 32 characters"),
        ({"services": "weather,ticketing"}, "'ticketing'"),
        ({"services": ""}, "services"),
        ({"http_port": "eighty"}, "http_port"),
        ({"broker_url": "http://secret@there"}, "broker_url is embedded:"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_no_secret_told(given, named):
    with pytest.raises(SettingsError) as refused:
        load_settings(**given)
    assert named in str(refused.value)
    assert "secret@" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_toml_is_named(tmp_path):
    (tmp_path / "hub.toml").write_text("mode = \n")
    with pytest.raises(SettingsError, match=r"hub\.toml"):
        load_settings()


def test_a_secret_file_that_is_missing_is_named(monkeypatch):
    monkeypatch.setenv("AEROCAST_HUB_SECRET_KEY_FILE", "/nowhere/key")
    with pytest.raises(SettingsError, match="/nowhere/key"):
        load_settings()


def test_secrets_do_not_show_when_settings_are_printed():
    settings = load_settings(
        secret_key=LONG_KEY, database_url="postgresql://hub:tell-nobody@db/hub"
    )
    assert LONG_KEY not in repr(settings)
    assert "tell-nobody" not in repr(settings)
    assert settings.database == "postgresql+asyncpg://hub:tell-nobody@db/hub"


def test_services_stand_in_one_order_whatever_was_asked(tmp_path):
    assert load_settings(services="weather, auth,weather").service_names == ("auth", "weather")
    assert load_settings(data_dir=tmp_path).database == f"sqlite+aiosqlite:///{tmp_path}/hub.db"


def test_every_setting_is_explained_in_the_manual():
    manual = (Path(__file__).parents[2] / "docs" / "hub.md").read_text()
    missing = [name for name in Settings.model_fields if f"`{name.upper()}`" not in manual]
    assert missing == []
