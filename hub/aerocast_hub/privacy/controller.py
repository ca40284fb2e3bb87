"""What is kept of people: the inventory, and one passenger's data handed out or erased."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.privacy.inventory import INVENTORY, Personal
from aerocast_hub.privacy.people import KeptOfPassenger, erase, kept_of, passenger_with

NOBODY_KNOWN = "no passenger of this bag tag and surname is known"


class WhichPassenger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who asks: the ten digits of their bag tag, and their surname."""

    licence_plate: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    surname: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ErasedOfPassenger(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept no more."""

    passenger_id: str
    bags: int
    messages: int


class PrivacyController(Controller):
    """Personal data: what there is, and one passenger's."""

    path = "/api/privacy"
    tags = ("Privacy",)

    @get("/inventory", operation_id="GetPersonalData", opt={"permission": "users:read"})
    async def inventory(self) -> tuple[Personal, ...]:
        """Give every column with personal data: what, why, how long, who sees it."""
        return INVENTORY

    @post(
        "/export",
        operation_id="ExportPassenger",
        status_code=200,
        opt={"permission": "privacy:write", "errors": {404: NOBODY_KNOWN}},
    )
    async def export(
        self, data: JSONBody[WhichPassenger], database: NamedDependency[Database]
    ) -> KeptOfPassenger:
        """Give everything that is kept of a passenger; the trail notes it.

        Raises
        ------
        NotFoundException
            No such passenger is known, or any more.
        """
        async with database.writing() as session:
            found = await kept_of(session, await _known(session, data))
        if found is None:
            raise NotFoundException(NOBODY_KNOWN)
        return found

    @post(
        "/erasure",
        operation_id="ErasePassenger",
        status_code=200,
        opt={"permission": "privacy:write", "errors": {404: NOBODY_KNOWN}},
    )
    async def erasure(
        self, data: JSONBody[WhichPassenger], database: NamedDependency[Database]
    ) -> ErasedOfPassenger:
        """Erase a passenger's name, reference and messages; the trail notes it.

        Raises
        ------
        NotFoundException
            No such passenger is known, or any more.
        """
        async with database.writing() as session:
            passenger_id = await _known(session, data)
            erased = await erase(session, passenger_id)
        if erased is None:
            raise NotFoundException(NOBODY_KNOWN)
        return ErasedOfPassenger(passenger_id=passenger_id, **erased._asdict())


async def _known(session: AsyncSession, which: WhichPassenger) -> str:
    plate = "".join(which.licence_plate.split())
    found = await passenger_with(session, plate, which.surname)
    if found is None:
        raise NotFoundException(NOBODY_KNOWN)
    return found
