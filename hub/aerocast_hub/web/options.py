"""What OPTIONS says may be asked of an address, to whoever may ask something there.

Litestar makes an address's handler for OPTIONS with the first handler there, and keeps it when
others come: its ``Allow`` then names the first alone. And what it asks for is the controller's
word, not the handler's: with none the guard lets nobody in.
"""

from litestar import Litestar
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.plugins.base import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

OPTIONS = HttpMethod.OPTIONS


class WholeAllow(ReceiveRoutePlugin):
    """Makes every address's handler for OPTIONS anew when the address gets another handler."""

    def receive_route(self, route: BaseRoute) -> None:
        """Hear of an address with all the handlers it has so far."""
        if not isinstance(route, HTTPRoute):
            return
        old, _ = route.route_handler_map[OPTIONS]
        others = [each.opt for each in route.route_handlers if each is not old]
        handler = old if len(others) == 1 else _made_anew(route, old)
        # Open to whom something there is open.
        asked = next((each for each in others if each.get("public") is True), others[0])
        handler.opt |= {
            name: asked[name] for name in ("public", "permission", "rows") if name in asked
        }


def _made_anew(route: HTTPRoute, old: HTTPRouteHandler) -> HTTPRouteHandler:
    new = route.create_options_handler(route.path)
    new.owner = old.owner
    app = old.ownership_layers[0]
    if isinstance(app, Litestar):
        new.on_registration(app)
    kwargs = new.create_kwargs_model(path_parameters=route.path_parameters)
    route.route_handlers[route.route_handlers.index(old)] = new
    route.route_handler_map[OPTIONS] = (new, kwargs)
    return new
