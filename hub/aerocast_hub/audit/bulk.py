"""What many rows at once were and became, as the trail tells it: themselves, or how many. Pure."""

import hashlib
from collections.abc import Collection

import msgspec

FEW = 12


class Bulk(msgspec.Struct, frozen=True, kw_only=True):
    """So many rows that a line of the trail cannot hold them.

    Attributes
    ----------
    rows
        How many.
    sha256
        Over all of them in their order, as msgpack: who has them can show that they are these.
    """

    rows: int
    sha256: str


def few_or_digest(rows: Collection[object]) -> list[object] | Bulk:
    """Give rows as a line of the trail tells them: a few themselves, many as a digest.

    Parameters
    ----------
    rows
        Without a passenger's name: a digest of one is told easily.
    """
    return list(rows) if len(rows) <= FEW else digest_of(rows)


def digest_of(rows: Collection[object]) -> Bulk:
    """Give how many rows there are, and a digest of them."""
    digest = hashlib.sha256()
    encoder = msgspec.msgpack.Encoder()
    for each in rows:
        digest.update(encoder.encode(each))
    return Bulk(rows=len(rows), sha256=digest.hexdigest())
