"""The API's description at ``/docs``: Swagger UI from this hub's own files, working offline."""

from typing import Any

from litestar import Request, Router
from litestar.datastructures import State
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from aerocast_hub.web.assets import SWAGGER_UI
from aerocast_hub.web.description.document import Description
from aerocast_hub.web.templates import render


class OfflineSwagger(OpenAPIRenderPlugin):
    """Swagger UI without any outside address and without inline script."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, State], openapi_schema: dict[str, Any]) -> bytes:
        """Render the page; the script reads the description from beside it."""
        return render(
            "docs.html",
            title=openapi_schema["info"]["title"],
            schema_url=self.get_openapi_json_route(request),
            swagger=SWAGGER_UI,
        ).encode()


def description_of(title: str, version: str) -> Description:
    """Describe an app at ``/docs`` and ``/docs/openapi.json``, to anybody: it holds no secrets."""
    return Description(
        title=title,
        version=version,
        openapi_router=Router(
            "/docs", route_handlers=[], include_in_schema=False, opt={"public": True}
        ),
        render_plugins=[OfflineSwagger(), JsonRenderPlugin()],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
                "key": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header"),
            }
        ),
        security=[{"bearer": []}, {"key": []}],
    )
