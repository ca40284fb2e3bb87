"""Answers to other services of this hub: closed to everybody else, read in one session each."""

from collections.abc import AsyncIterator

from litestar import Controller
from litestar.di import NamedDependency, Provide
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.asking.guard import FOR_SERVICES, only_services
from aerocast_hub.database.engine import Database


async def _reading(database: NamedDependency[Database]) -> AsyncIterator[AsyncSession]:
    async with database.reading() as session:
        yield session


class AnsweringController(Controller):
    """Questions of services; handlers get the ``session`` to read in."""

    opt = FOR_SERVICES
    guards = (only_services,)
    include_in_schema = False
    dependencies = {"session": Provide(_reading)}  # noqa: RUF012  Litestar reads it, nobody changes it
