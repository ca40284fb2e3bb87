"""The hub's settings: environment, secrets in files, then hub.toml, then defaults.

Every name is ``AEROCAST_HUB_<NAME>`` in the environment, ``AEROCAST_HUB_<NAME>_FILE`` for a file
that holds the value, and ``<name>`` in lower case in hub.toml (or the file ``AEROCAST_HUB_CONFIG``
names).
"""

import os
import secrets
import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from aerocast_hub.broker_url import (
    EMBEDDED,
    check_amqp_url,
    check_broker_url,
    parse_broker_url,
)
from aerocast_hub.client_address import read_networks
from aerocast_hub.data_keys import DataKeyError, DataKeys, data_keys_in, read_data_keys
from aerocast_hub.hosts import read_hosts
from aerocast_hub.redis_connection import check_redis_url
from aerocast_hub.storage.keys import read_days
from aerocast_hub.whole_file import write_whole

PREFIX = "AEROCAST_HUB_"
SHORTEST_SECRET_KEY = 32
LEAST_DIFFERENT = 10
_EXAMPLES = ("changeme", "secretkey", "password", "insecure", "default", "yourkey", "0123456789")
SERVICES = ("auth", "baggage", "weather", "orientation")


class SettingsError(Exception):
    """The configuration cannot be used; the message names the setting and what is expected."""


class Settings(BaseSettings):
    """What an operator can set.

    Attributes
    ----------
    mode
        ``production`` refuses weak secrets; ``demo`` and ``dev`` accept them.
    database_url
        ``sqlite+aiosqlite:///FILE`` or ``postgresql+asyncpg://...``; plain ``sqlite:`` and
        ``postgresql:`` are understood. None: ``hub.db`` in ``data_dir``.
    database_read_url, database_read_lag_s
        A PostgreSQL that follows the database and answers questions; how old its answers may be,
        seconds. None: the database answers all itself.
    broker_url
        ``embedded:`` for the broker inside, ``mqtt://`` or ``mqtts://`` for another one,
        ``amqp://`` or ``amqps://`` for RabbitMQ, ``none:`` to take nothing in (a hub that only
        answers, beside one that listens).
    broker_group
        Name of the group of hubs that share what gateways send: on an MQTT 5 broker with shared
        subscriptions (Mosquitto, EMQX), or a queue of RabbitMQ. None: this hub takes all of it.
    amqp_url
        ``amqp://user:password@host:port/virtual-host`` or ``amqps://``: the RabbitMQ on whose
        exchange ``aerocast.events`` other systems hear what happens. None: on none.
    baggage_url, weather_url
        Where these services are (``http://baggage:8002``), for a process that runs without them
        and asks them. None: what they know is read from the database both share.
    redis_url
        ``redis://[user:password@]host:port/0``, ``rediss://`` or ``unix://FILE``: what several hubs
        remember together (Redis or Valkey). None: each hub by itself, in memory.
    embedded_broker_port, embedded_broker_v3_port
        Loopback ports of the embedded broker for MQTT 5 and 3.1.1; 0 takes a free one.
    embedded_broker_host, embedded_broker_tls_port
        Where the embedded broker listens beyond loopback: over TLS alone, and for those with its
        login. None: nowhere.
    embedded_broker_certificate, embedded_broker_key
        PEM files for that.
    http_host, http_port
        Where the hub listens; port None: 8000 for all services, a service's own port for one.
    http_connections
        How many connections are open at once; one client gets a quarter of that in requests.
    http_patience_s
        How long a client has for a request's headers, for its body (a large one has longer), and
        between two requests, seconds. A proxy must let idle connections go earlier.
    secret_key
        Signs tokens and links, 32 characters or more. None: made once and kept in ``data_dir``.
    log_format, log_to
        ``json`` (one object a line, in the Elastic Common Schema) or ``text``; to ``stderr`` or,
        as container engines like it, to ``stdout``.
    data_keys
        What names, booking references and messages are sealed with at rest: keys of 32 bytes in
        base64, commas between, the newest first. None: made once and kept in ``data_dir``.
    metrics
        Who may read /metrics: ``loopback``, ``anyone``, ``nobody``, or networks by comma.
    otlp_endpoint
        Where traces go: an OTLP/HTTP receiver, such as ``http://otel-collector:4318``. None: no
        traces, and no cost.
    telemetry_sample
        Which part of all traces is kept, 0 to 1.
    http_certificate, http_key
        PEM files: the hub speaks HTTPS itself. None: it speaks HTTP, for a proxy before it.
    broker_certificate, broker_key, broker_ca
        PEM files for an ``mqtts://`` broker: who the hub is, and whom to trust.
    gateway_broker_url
        Where gateways connect, as an enrolment tells them: ``mqtts://host:port``. None: what
        ``broker_url`` says.
    authority
        PEM of the key and certificate that sign gateways' certificates, and of others to trust.
        None: made once and kept in ``data_dir``.
    certificate_days
        How long a gateway's certificate is good; it renews it at two thirds.
    broker_hook_secret
        What brokers send as bearer token when they ask what clients may do.
    broker_hook_networks
        Where brokers may ask from without it: networks, comma-separated (RabbitMQ's plugin cannot
        send one).
    metar_files
        A file or folder of METAR reports (.csv.gz cache or .txt), read again when it changes.
    airports
        A TOML file of airports' limits: ramp, equipment, low visibility.
    weather_feeds
        A TOML file of services to ask for weather (see `aerocast_hub.weather.feeds`). None: the
        hub asks nobody.
    bag_link_hosts
        ``host:port`` or ``host:port,host:port``: hosts of a BagMessage network to receive baggage
        messages from, tried in turn. None: no such link.
    bag_link_application, bag_link_password
        Who the hub is on BagMessage links (at most 8 characters), and its password on the network.
    bag_link_heartbeat_s
        Silence after which a heartbeat is sent, seconds; twice as long ends a session.
    bag_server_host, bag_server_port
        Where partners log in to get and send baggage messages. Port None: nowhere.
    bag_server_partners
        A TOML file that says who they are (see `aerocast_hub.baggage.partners`).
    webhook_hosts
        The hosts webhooks and subscriptions may go to, by comma; ``*.example.com`` for all below
        it. None: any.
    webhooks_private
        Let webhooks go to addresses that are not on the public internet (a partner's server in
        the airport's own network).
    airlines
        A CSV file of airlines (num, iata2, icao3, name), to say who issued a licence plate.
    record_days, personal_days
        How long the hub keeps what happened (bags, observations, reports, alerts), and how long
        names, booking references and the texts of messages, from the day of the flight. 0: for
        ever.
    audit_days
        How long lines of the trail of changes are kept; 0: for ever. The rest stays sealed.
    security_log
        A file for what touches security, a line of JSON an event in Elastic Common Schema. None:
        these events stand in the log alone.
    archive
        Store observations of a month as a Parquet file, and check it, before they are forgotten.
    objects_url
        Where files are kept: ``file:///FOLDER`` or ``s3://bucket/prefix``. None: ``objects`` in
        ``data_dir``.
    s3_endpoint, s3_region, s3_access_key, s3_secret_key
        Which S3 service (``https://host:port``; None: Amazon's), and who the hub is there.
    gateway_file_mb, gateway_files_mb
        The largest file a gateway may send (diagnostics, captures), and all of one gateway's.
    objects_days
        How many days objects are kept, by folder: ``exports=90,captures/lfbo=7``. Others: for ever.
    base_url
        How passengers reach the hub, for links. None: built from each request.
    oidc_issuer, oidc_client_id, oidc_client_secret
        The airport's identity provider (OpenID Connect) and who the hub is there; without a secret
        the hub is a public client. Needs ``base_url``, and the extra ``oidc``.
    oidc_name, oidc_scopes
        What the login page calls it, and what is asked of it.
    oidc_roles_claim, oidc_roles
        The claim with somebody's groups (dots lead into objects), and which roles they give:
        ``GROUP=ROLE,GROUP=ROLE``.
    password_list
        A text file of passwords nobody may choose, one a line, beside those the hub knows itself.
    second_factor_roles
        Roles (comma-separated, ``*`` for all) whose accounts must have a second factor: until they
        add one they can do nothing else.
    session_idle_minutes
        After how long without a request a login is over, to a quarter of an hour; 720 for none
        but the end after 12 hours.
    account_requests_per_s
        How many requests an account's logins together, or one API key, may make a second, over ten
        seconds. Events handed in at ``/api/ingest`` do not count.
    sessions_most
        How many logins of one account go on at once: one more ends the one idle longest.
    trusted_proxies
        Addresses and networks (CIDR, comma-separated) of our own proxies: what they say in
        X-Forwarded-For and X-Forwarded-Proto is believed, what anybody else says is not.
    tries_in
        Where tries of passwords and surnames are counted: ``database``, ``redis`` (at
        ``redis_url``) or ``memory`` (each process for itself).
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, validate_default=True
    )

    mode: Literal["production", "demo", "dev"] = "production"
    data_dir: Path = Path("aerocast-data")
    database_url: SecretStr | None = None
    database_read_url: SecretStr | None = None
    database_read_lag_s: float = Field(default=5.0, ge=1.0, le=3600.0)
    broker_url: SecretStr = SecretStr("embedded:")
    broker_group: str | None = Field(default=None, pattern=r"^[a-z0-9-]{1,32}$")
    amqp_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    embedded_broker_port: int = Field(default=1884, ge=0, le=65535)
    embedded_broker_v3_port: int = Field(default=1883, ge=0, le=65535)
    embedded_broker_host: str | None = None
    embedded_broker_tls_port: int = Field(default=8883, ge=0, le=65535)
    embedded_broker_certificate: Path | None = None
    embedded_broker_key: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: int | None = Field(default=None, ge=0, le=65535)
    http_connections: int = Field(default=4096, ge=64, le=65_536)
    http_patience_s: int = Field(default=20, ge=1, le=60)
    services: str = ",".join(SERVICES)
    baggage_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#@]+/?$")
    weather_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#@]+/?$")
    secret_key: SecretStr | None = None
    data_keys: SecretStr | None = None
    log_format: Literal["json", "text"] = "json"
    log_to: Literal["stderr", "stdout"] = "stderr"
    metrics: str = "loopback"
    otlp_endpoint: str | None = Field(default=None, pattern=r"^(https?://\S+)?$")
    telemetry_sample: float = Field(default=0.1, ge=0.0, le=1.0)
    http_certificate: Path | None = None
    http_key: Path | None = None
    broker_certificate: Path | None = None
    broker_key: Path | None = None
    broker_ca: Path | None = None
    gateway_broker_url: str | None = None
    authority: SecretStr | None = None
    certificate_days: int = Field(default=90, ge=1, le=825)
    broker_hook_secret: SecretStr | None = None
    broker_hook_networks: str = "127.0.0.0/8,::1/128"
    metar_files: Path | None = None
    airports: Path | None = None
    weather_feeds: Path | None = None
    bag_link_hosts: str | None = None
    bag_link_application: str = Field(default="AEROCAST", pattern=r"^[!-~]{1,8}$")
    bag_link_password: SecretStr | None = None
    bag_link_heartbeat_s: float = Field(default=30.0, ge=1.0, le=3600.0)
    bag_server_host: str = "127.0.0.1"
    bag_server_port: int | None = Field(default=None, ge=0, le=65535)
    bag_server_partners: Path | None = None
    webhook_hosts: str = ""
    webhooks_private: bool = False
    airlines: Path | None = None
    record_days: int = Field(default=400, ge=0, le=36_500)
    personal_days: int = Field(default=30, ge=0, le=36_500)
    audit_days: int = Field(default=0, ge=0, le=36_500)
    security_log: Path | None = None
    archive: bool = False
    objects_url: str | None = Field(default=None, pattern=r"^(file:///|s3://[a-z0-9.-]{3,63}(/|$))")
    s3_endpoint: str | None = Field(default=None, pattern=r"^https?://[^/@]+/?$")
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None
    objects_days: str = Field(default="", max_length=2048)
    gateway_file_mb: int = Field(default=256, ge=1, le=1024)
    gateway_files_mb: int = Field(default=2048, ge=1, le=1_000_000)
    base_url: str | None = None
    oidc_issuer: str | None = Field(default=None, max_length=255)
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = "the airport's account"
    oidc_scopes: str = "openid profile email"
    oidc_roles_claim: str = "groups"
    oidc_roles: str = ""
    password_list: FilePath | None = None
    second_factor_roles: str = ""
    session_idle_minutes: int = Field(default=60, ge=20, le=720)
    account_requests_per_s: int = Field(default=100, ge=1, le=100_000)
    sessions_most: int = Field(default=50, ge=1, le=1000)
    trusted_proxies: str = ""
    tries_in: Literal["database", "redis", "memory"] = "database"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  pydantic passes it by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Rank the sources: arguments, environment, files it names, hub.toml."""
        toml = TomlConfigSettingsSource(settings_cls, _toml_file())
        return init_settings, env_settings, _NamedFiles(settings_cls), toml

    @model_validator(mode="after")
    def _check(self) -> "Settings":
        unknown = [name for name in self.service_names if name not in SERVICES]
        if unknown or not self.service_names:
            raise ValueError(f"services: {unknown} unknown; there are {', '.join(SERVICES)}")
        if (
            self.mode == "production"
            and self.secret_key is not None
            and len(self.secret_key.get_secret_value()) < SHORTEST_SECRET_KEY
        ):
            raise ValueError(
                f"secret_key: shorter than {SHORTEST_SECRET_KEY} characters; "
                "leave it out to have one made, or set mode to dev"
            )
        if self.mode == "production" and self.secret_key is not None:
            _check_drawn("secret_key", self.secret_key.get_secret_value())
        self._check_baggage()
        read_networks(self.trusted_proxies)
        read_days(self.objects_days)
        self._check_provider()
        if self.metrics not in {"loopback", "anyone", "nobody"}:
            read_networks(self.metrics)
        if self.tries_in == "redis" and self.redis_url is None:
            raise ValueError("redis_url is missing: tries_in is redis")
        self._check_engines()
        self._check_machines()
        if not self.database.startswith(("sqlite+aiosqlite:", "postgresql+asyncpg:")):
            raise ValueError("database_url is sqlite:///FILE or postgresql://user@host/name")
        if self.replica is not None and not (
            self.replica.startswith("postgresql+asyncpg:")
            and self.database.startswith("postgresql+asyncpg:")
        ):
            raise ValueError(
                "database_read_url is a PostgreSQL that follows the one database_url names"
            )
        return self

    def _check_engines(self) -> None:
        check_broker_url(self.broker_url.get_secret_value())
        if self.broker_group is not None and self.broker_url.get_secret_value() == EMBEDDED:
            raise ValueError("broker_group needs a broker of its own: set broker_url")
        if self.amqp_url is not None:
            check_amqp_url("amqp_url", self.amqp_url.get_secret_value())
        if self.redis_url is not None:
            check_redis_url(self.redis_url.get_secret_value())

    def _check_machines(self) -> None:
        files = (self.embedded_broker_certificate, self.embedded_broker_key)
        if self.embedded_broker_host is not None and None in files:
            raise ValueError(
                "embedded_broker_host needs embedded_broker_certificate and embedded_broker_key: "
                "beyond loopback the embedded broker speaks TLS alone"
            )
        if (self.http_certificate is None) != (self.http_key is None):
            raise ValueError("http_certificate and http_key go together")
        if self.broker_key is not None and self.broker_certificate is None:
            raise ValueError("broker_certificate is missing: broker_key needs it")
        if self.gateway_broker_url is not None:
            address = parse_broker_url(self.gateway_broker_url, "gateway_broker_url")
            if address.user is not None:
                raise ValueError("gateway_broker_url: without user and password")
        secret = self.broker_hook_secret
        if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET_KEY:
            raise ValueError(f"broker_hook_secret: shorter than {SHORTEST_SECRET_KEY} characters")
        read_networks(self.broker_hook_networks)

    def _check_provider(self) -> None:
        if self.oidc_issuer is None:
            return
        if self.oidc_client_id is None or self.base_url is None:
            raise ValueError("oidc_issuer needs oidc_client_id and base_url")
        if find_spec("authlib") is None:
            raise ValueError("oidc_issuer needs the extra: pip install aerocast-hub[oidc]")

    def _check_baggage(self) -> None:
        if self.bag_link_hosts is not None:
            read_hosts(self.bag_link_hosts)
            if self.bag_link_password is None:
                raise ValueError("bag_link_password is missing: bag_link_hosts need one")
        if self.bag_server_port is not None and self.bag_server_partners is None:
            raise ValueError("bag_server_partners is missing: bag_server_port needs the file")

    @property
    def service_names(self) -> tuple[str, ...]:
        """The services to run, in the registry's order, each once."""
        asked = {name.strip() for name in self.services.split(",") if name.strip()}
        known = tuple(name for name in SERVICES if name in asked)
        return known + tuple(sorted(asked - set(SERVICES)))

    @property
    def webhook_host_names(self) -> tuple[str, ...]:
        """The hosts webhooks may go to, in lower case; none: any."""
        return tuple(name.strip().lower() for name in self.webhook_hosts.split(",") if name.strip())

    @property
    def factor_roles(self) -> frozenset[str]:
        """The roles whose accounts must have a second factor."""
        return frozenset(
            name.strip() for name in self.second_factor_roles.split(",") if name.strip()
        )

    @property
    def days_of_objects(self) -> Mapping[str, int]:
        """How many days objects are kept, by folder."""
        return read_days(self.objects_days)

    @property
    def database(self) -> str:
        """The database's address with its asynchronous driver named."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{(self.data_dir / 'hub.db').absolute()}"
        return _with_driver(self.database_url.get_secret_value())

    @property
    def replica(self) -> str | None:
        """The replica's address with its asynchronous driver named; None when there is none."""
        if self.database_read_url is None:
            return None
        return _with_driver(self.database_read_url.get_secret_value())

    def sealing_keys(self) -> DataKeys:
        """Give the data keys; without any, make one and keep it in ``data_dir`` (mode 0600).

        Raises
        ------
        SettingsError
            One is no key.
        """
        try:
            if self.data_keys is None:
                return data_keys_in(self.data_dir)
            return read_data_keys(self.data_keys.get_secret_value())
        except DataKeyError as error:
            raise SettingsError(f"data_keys: {error}") from None

    def signing_key(self) -> str:
        """Give the secret key; without one, make it once and keep it in ``data_dir`` (mode 0600).

        Raises
        ------
        SettingsError
            The kept key is too short to be one.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        kept = self.data_dir / "secret.key"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if not kept.exists():
            write_whole(kept, f"{secrets.token_urlsafe(48)}\n".encode(), is_new=True)
        key = kept.read_text().strip()
        if len(key) < SHORTEST_SECRET_KEY:
            raise SettingsError(f"{kept} holds no secret key: delete it")
        return key


def _with_driver(address: str) -> str:
    for plain, driven in (
        ("sqlite:", "sqlite+aiosqlite:"),
        ("postgresql:", "postgresql+asyncpg:"),
        ("postgres:", "postgresql+asyncpg:"),
    ):
        if address.startswith(plain):
            return driven + address.removeprefix(plain)
    return address


def _check_drawn(name: str, value: str) -> None:
    """Refuse what was copied from an example, or typed with a finger on a key."""
    plain = value.casefold().replace("-", "").replace("_", "")
    if len(set(value)) < LEAST_DIFFERENT or any(word in plain for word in _EXAMPLES):
        raise ValueError(
            f"{name}: looks like an example, not drawn at random; "
            "leave it out to have one made, or set mode to dev"
        )


class _NamedFiles(PydanticBaseSettingsSource):
    """Values of ``AEROCAST_HUB_<NAME>_FILE``: what the named files hold."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002  pydantic's signature
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        return (None if path is None else Path(path).read_text().strip()), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def load_settings(**given: Any) -> Settings:  # noqa: ANN401  any setting by its name
    """Read the settings; ``given`` ones win over every source.

    Raises
    ------
    SettingsError
        One line for each setting that cannot be used.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}".removeprefix(": ")
            for each in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("; ".join(lines)) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{_toml_file()}: {error}") from error
    except (OSError, ValueError) as error:
        raise SettingsError(str(error)) from error


def _toml_file() -> Path:
    return Path(os.environ.get(f"{PREFIX}CONFIG", "hub.toml"))
