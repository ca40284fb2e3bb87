"""Answers that say nothing has changed, as the API's description tells of them."""

from litestar.openapi.datastructures import ResponseSpec

UNCHANGED = {304: ResponseSpec(None, description="It is still as the `If-None-Match` header says.")}
