"""Which services are asked for weather: a TOML file, best sources first."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec

from aerocast_hub.airports import airport
from aerocast_hub.settings import SettingsError
from aerocast_hub.weather.feeds.models import OPEN_METEO_HOURLY

Product = Literal["metar", "taf", "sigmet", "pirep", "forecast", "lightning"]
Format = Literal[
    "awc_json", "awc_cache", "text", "geojson", "metno", "open_meteo", "lightning", "iwxxm"
]
Kind = Literal["awc_api", "awc_cache", "noaa", "metno", "open_meteo", "http", "file"]
Code = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9]{3}$")]

MOST_IDS = 100  # AWC gives at most 400 entries a reply
_AWC, _NOAA = "https://aviationweather.gov", "https://tgftp.nws.noaa.gov"
_BASES: Mapping[Kind, str] = {
    "awc_api": _AWC,
    "awc_cache": _AWC,
    "noaa": _NOAA,
    "metno": "https://api.met.no",
}
_FORMATS: Mapping[tuple[Kind, Product], Format] = {
    ("awc_api", "metar"): "awc_json",
    ("awc_api", "taf"): "text",
    ("awc_api", "sigmet"): "geojson",
    ("awc_api", "pirep"): "geojson",
    ("awc_cache", "metar"): "awc_cache",
    ("awc_cache", "sigmet"): "awc_cache",
    ("awc_cache", "pirep"): "awc_cache",
    ("noaa", "metar"): "text",
    ("noaa", "taf"): "text",
    ("metno", "forecast"): "metno",
    ("open_meteo", "forecast"): "open_meteo",
}
_READABLE: Mapping[Product, frozenset[Format]] = {
    "metar": frozenset({"awc_json", "awc_cache", "text", "iwxxm"}),
    "taf": frozenset({"text"}),
    "sigmet": frozenset({"geojson", "awc_cache"}),
    "pirep": frozenset({"geojson", "awc_cache"}),
    "forecast": frozenset({"metno", "open_meteo"}),
    "lightning": frozenset({"lightning"}),
}


class Feed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source of one product; of several for one, those named first are asked first.

    Attributes
    ----------
    url
        The service's address; a whole URL for ``http``. Each kind but ``http``, ``file`` and
        ``open_meteo`` has its public service's.
    file, format
        For ``file``: which; for it and ``http``: how it is written.
    stations
        Airports to ask about, ICAO codes; for lightning those whose detector it is.
    bbox
        South, west, north, east: where to ask for pilots' reports.
    always
        Asked also while a better source answers.
    """

    name: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,32}$")]
    kind: Kind
    product: Product
    url: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    file: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    format: Format | None = None
    stations: Annotated[tuple[Code, ...], msgspec.Meta(max_length=1000)] = ()
    bbox: tuple[float, float, float, float] | None = None
    every_s: Annotated[float, msgspec.Meta(ge=1.0, le=86_400.0)] = 60.0
    per_min: Annotated[float, msgspec.Meta(gt=0.0, le=1200.0)] = 60.0
    always: bool = False

    @property
    def written(self) -> Format:
        """How its answers are written."""
        return self.format or _FORMATS[self.kind, self.product]


class FeedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file; ``contact`` is whom a service can write to: it stands in every request."""

    contact: Annotated[str, msgspec.Meta(min_length=3, max_length=100, pattern="^[!-~]+$")]
    feeds: tuple[Feed, ...] = msgspec.field(name="feed", default=())


class Ask(NamedTuple):
    """One request, and the airport it is about where that is not in the answer."""

    url: str
    airport: str | None = None


def read_feeds(file: Path) -> FeedFile:
    """Read the file.

    Raises
    ------
    SettingsError
        It cannot be read or used; the message names the feed and what is expected.
    """
    try:
        read = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), FeedFile)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file}: {error}") from error
    names = [each.name for each in read.feeds]
    for each in read.feeds:
        wrong = _wrong(each)
        if wrong is None and names.count(each.name) > 1:
            wrong = "another feed has this name"
        if wrong is not None:
            raise SettingsError(f"{file}: feed {each.name}: {wrong}")
    return read


def _wrong(feed: Feed) -> str | None:
    if feed.kind in ("http", "file"):
        if feed.format not in _READABLE[feed.product]:
            return f"format: expected one of {', '.join(sorted(_READABLE[feed.product]))}"
    elif (feed.kind, feed.product) not in _FORMATS or feed.format is not None:
        return (
            f"kind {feed.kind} gives no {feed.product}" if feed.format is None else "format: none"
        )
    if feed.kind == "file":
        return None if feed.file else "file is missing"
    address = feed.url or _BASES.get(feed.kind)
    if address is None or urlsplit(address).scheme not in ("http", "https"):
        return "url: expected http:// or https://"
    needs_stations = feed.kind in ("noaa", "metno", "open_meteo") or (
        feed.kind == "awc_api" and feed.product in ("metar", "taf")
    )
    return "stations are missing" if needs_stations and not feed.stations else None


def asks(feed: Feed) -> list[Ask]:
    """Give the requests of one round."""
    base = (feed.url or _BASES.get(feed.kind, "")).rstrip("/")
    if feed.kind == "awc_api":
        return _awc(feed, base)
    if feed.kind == "awc_cache":
        names = {"metar": "metars", "sigmet": "airsigmets", "pirep": "pireps"}
        return [Ask(f"{base}/data/cache/{names[feed.product]}.cache.csv.gz")]
    if feed.kind == "noaa":
        folder = "observations/metar" if feed.product == "metar" else "forecasts/taf"
        return [Ask(f"{base}/data/{folder}/stations/{each}.TXT", each) for each in feed.stations]
    if feed.kind in ("metno", "open_meteo"):
        return [found for each in feed.stations if (found := _model(feed.kind, base, each))]
    return [Ask(feed.url or "")]


def _awc(feed: Feed, base: str) -> list[Ask]:
    if feed.product in ("metar", "taf"):
        written = "json" if feed.product == "metar" else "raw"
        parts = range(0, len(feed.stations), MOST_IDS)
        ids = [",".join(feed.stations[at : at + MOST_IDS]) for at in parts]
        return [Ask(f"{base}/api/data/{feed.product}?ids={each}&format={written}") for each in ids]
    if feed.product == "sigmet":
        return [Ask(f"{base}/api/data/{name}?format=geojson") for name in ("airsigmet", "isigmet")]
    area = "" if feed.bbox is None else "&bbox=" + ",".join(f"{each:g}" for each in feed.bbox)
    return [Ask(f"{base}/api/data/pirep?format=geojson{area}")]


def _model(kind: Kind, base: str, station: str) -> Ask | None:
    place = airport(station)
    if place is None:
        return None
    # met.no refuses more than four decimals.
    latitude, longitude = f"{place.latitude_deg:.4f}", f"{place.longitude_deg:.4f}"
    if kind == "metno":
        where = urlencode({"lat": latitude, "lon": longitude})
        return Ask(f"{base}/weatherapi/locationforecast/2.0/complete?{where}", station)
    asked = {
        "latitude": latitude,
        "longitude": longitude,
        "hourly": OPEN_METEO_HOURLY,
        "timeformat": "unixtime",
        "wind_speed_unit": "kn",
    }
    return Ask(f"{base}/v1/forecast?{urlencode(asked, safe=',')}", station)
