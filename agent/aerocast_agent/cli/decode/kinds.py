"""What a decoder of the ``decode`` command looks like."""

import argparse
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple


class Refused(NamedTuple):
    """An input item that cannot be decoded; it keeps its place among the lines put out.

    Attributes
    ----------
    error
        What is wrong with it, naming the value.
    input
        The item as text (hex for binary).
    more
        What can be relied on all the same, by field.
    """

    error: str
    input: str
    more: dict[str, object] = {}  # noqa: RUF012  never written to


Line = dict[str, object] | Refused
Decode = Callable[[BinaryIO, argparse.Namespace], Iterator[Line]]


class Kind(NamedTuple):
    """One kind of input.

    Attributes
    ----------
    help
        One line: what goes in.
    decode
        Reads the input to its end and gives one line for each item.
    add_arguments
        Adds the kind's own options to the parser.
    """

    help: str
    decode: Decode
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None
