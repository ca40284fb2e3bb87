"""What somebody asks the hub to change leaves a line, whether or not the feature writes one.

Features write their own lines with what was before and after. A request that changes something
and wrote none gets a plain one here, before it is answered: which operation, of what, by whom.
A handler that changes nothing says so: ``opt={"changes": False}``.
"""

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from aerocast_hub.audit.acting import Acting, acting
from aerocast_hub.audit.trail import record
from aerocast_hub.database.engine import Database

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Trailed:
    """Wraps an application."""

    def __init__(self, database: Database, app: ASGIApp) -> None:
        self._database = database
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if str(scope["type"]) != "http" or scope.get("method") in _SAFE_METHODS:
            with acting(Acting()):
                await self._app(scope, receive, send)
            return

        with acting(Acting()) as somebody:

            async def watch(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] < 400:
                    await self._note(scope, somebody)
                await send(message)

            await self._app(scope, receive, watch)

    async def _note(self, scope: Scope, somebody: Acting) -> None:
        handler = scope["route_handler"]
        if not somebody.actor or somebody.recorded or handler.opt.get("changes") is False:
            return
        named = getattr(handler, "operation_id", None)
        operation = named if isinstance(named, str) else str(getattr(handler, "handler_name", ""))
        async with self._database.writing() as session:
            await record(session, operation or "request", subject=scope["path"])
