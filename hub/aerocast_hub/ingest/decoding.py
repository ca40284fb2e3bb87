"""Reading a large request body once.

Litestar decodes a body into its structs, and then converts them to what they are already, which
takes longer than the decoding. Where a body holds a thousand structs that is most of the request.
"""

from collections.abc import Generator
from typing import Any

import msgspec
from litestar.dto import AbstractDTO, DTOFieldDefinition
from litestar.exceptions import ClientException
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from aerocast_hub.ingest.reported import Report, fault_of

_decoder = msgspec.json.Decoder(Report)


def decode_report(body: bytes) -> Report | Exception:
    """Read a report, or give what is wrong with it."""
    try:
        report = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return error
    return report if (wrong := fault_of(report)) is None else msgspec.ValidationError(wrong)


class ReportOnce(AbstractDTO[Report]):
    """A `Report`, decoded and checked in one go, and described as what it is."""

    def decode_bytes(self, value: bytes) -> Report:
        """Read a request's body.

        Raises
        ------
        ClientException
            It is no report; the message says where.
        """
        report = decode_report(value)
        if isinstance(report, Exception):
            raise ClientException(f"no report: {report}") from report
        return report

    @classmethod
    def create_for_field_definition(cls, *_given: Any, **_named: Any) -> None:  # noqa: ANN401  nothing is made of it
        """Prepare nothing: there is no model between the body and its struct."""

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,  # noqa: ARG003  the base class's signature
        schema_creator: Any,  # noqa: ANN401  Litestar's own, not exported
    ) -> Reference | Schema:
        """Describe the struct itself."""
        described: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return described

    @classmethod
    def generate_field_definitions(
        cls,
        model_type: type[Any],  # noqa: ARG003  likewise
    ) -> Generator[DTOFieldDefinition, None, None]:
        """Give no fields: nothing is transferred field by field."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:  # noqa: ARG003  likewise
        """Say that nothing is nested, for the same reason."""
        return False
