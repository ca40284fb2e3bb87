"""How a reader answers a request: LLRPStatus (LLRP v1.1 §17.2.8.1) and ``ERROR_MESSAGE``."""

import struct

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp.parameters import (
    encode_text,
    encode_tlv,
    read_fields,
    read_text,
    split_parameters,
)

LLRP_STATUS = 287
SUCCESS = 0
PARAMETER_ERROR, FIELD_ERROR, UNSUPPORTED_MESSAGE = 100, 101, 109  # M_ParameterError ...
_CODE = struct.Struct("!H")


class Status(msgspec.Struct, frozen=True):
    """Whether a request was carried out.

    Attributes
    ----------
    code
        0 success; 100 to 112 the message was wrong, 200 a parameter, 300 a field, 401 the device
        (LLRP v1.1 §14.3).
    description
        The reader's own words, possibly empty.
    """

    code: int
    description: str = ""

    @property
    def succeeded(self) -> bool:
        """Say whether the reader did what it was asked."""
        return self.code == SUCCESS


def decode_status(body: bytes) -> Status:
    """Find the LLRPStatus in a response's body.

    Raises
    ------
    ProtocolError
        There is none, or it is cut short.
    """
    for parameter, content in split_parameters(body):
        if parameter == LLRP_STATUS:
            (code,) = read_fields(_CODE, content, "status")
            description, _details = read_text(content[_CODE.size :], "status description")
            return Status(code, description)
    raise ProtocolError("LLRP response without a status")


def encode_status(status: Status) -> bytes:
    """Write an LLRPStatus parameter; alone it is the body of most responses.

    Raises
    ------
    ValueError
        The code does not fit 16 bits, or the description is too long.
    """
    if not 0 <= status.code <= 0xFFFF:
        raise ValueError(f"LLRP status code {status.code} does not fit")
    return encode_tlv(LLRP_STATUS, _CODE.pack(status.code), encode_text(status.description))
