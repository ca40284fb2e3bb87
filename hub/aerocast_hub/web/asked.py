"""Requests as handlers get them: what is no JSON anybody could mean is refused, not an error."""

from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import ClientException


class AskedRequest(Request[Any, Any, State]):
    """A request whose body may be nested as deeply as its sender likes."""

    async def json(self) -> Any:  # noqa: ANN401  the base class's own
        """Give what the body says in JSON.

        Raises
        ------
        ClientException
            It is nested more deeply than anything the hub takes: msgspec gives up at about 1,000.
        """
        try:
            return await super().json()
        except RecursionError as error:
            raise ClientException("JSON is nested too deeply") from error
