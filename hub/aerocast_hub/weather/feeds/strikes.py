"""Lightning from a service: a document of strikes that says when it was made. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from aerocast_protocols.errors import ProtocolError

from aerocast_hub.weather.feeds.provider import instant_s

MOST_STRIKES = 100_000
_decoder = msgspec.json.Decoder(dict[str, object])


class FeedStrike(NamedTuple):
    """A strike somewhere on earth."""

    key: str
    at_us: int
    latitude_deg: float
    longitude_deg: float


class StrikeDocument(NamedTuple):
    """Strikes, and up to when the service says it had listened; ``refused`` are no strikes."""

    listened_until_us: int | None
    strikes: Sequence[FeedStrike]
    refused: int


def decode_strikes(body: bytes) -> StrikeDocument:
    """Read ``{"generated_at": TIME, "strikes": [{"time", "latitude", "longitude"}]}``.

    TIME is seconds since 1970 or ISO 8601. Without ``generated_at`` strikes count, but silence
    proves nothing: a service that stands still is no clear sky. GeoJSON points with a ``time``
    among their properties are read too.

    Raises
    ------
    ProtocolError
        It is no such document.
    """
    try:
        document = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"no JSON object: {error}") from error
    items = document.get("strikes", document.get("features"))
    if not isinstance(items, list) or len(items) > MOST_STRIKES:
        raise ProtocolError("no strikes")
    made_s = instant_s(document.get("generated_at"))
    strikes = [found for each in items if (found := _strike(each)) is not None]
    made_us = None if made_s is None else round(made_s * 1_000_000)
    return StrikeDocument(made_us, strikes, len(items) - len(strikes))


def _strike(item: object) -> FeedStrike | None:
    if not isinstance(item, dict):
        return None
    fields: Mapping[str, object] = item
    shape, said = item.get("geometry"), item.get("properties")
    if isinstance(shape, dict) and isinstance(said, dict):
        where = shape.get("coordinates")
        if not isinstance(where, list) or len(where) < 2:
            return None
        fields = {"longitude": where[0], "latitude": where[1], "time": said.get("time")}
    at_s = instant_s(fields.get("time"))
    latitude, longitude = fields.get("latitude"), fields.get("longitude")
    if at_s is None or not isinstance(latitude, int | float):
        return None
    if not isinstance(longitude, int | float) or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    at_us = round(at_s * 1_000_000)
    key = hashlib.sha256(f"{at_us} {latitude} {longitude}".encode()).hexdigest()[:24]
    return FeedStrike(key, at_us, float(latitude), float(longitude))
