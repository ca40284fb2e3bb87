"""The one error of every decoder in ``protocols``."""


class ProtocolError(Exception):
    """The peer sent bytes its standard does not allow.

    Decoders raise nothing else, whatever bytes they are fed; a fuzz test holds them to it.
    """
