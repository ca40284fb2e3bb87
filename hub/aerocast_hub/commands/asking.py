"""What commands ask for and never show: from the environment, standard input, or whoever types."""

import getpass
import os
import sys


def asked_secret(variable: str, what: str) -> str:
    """Give a new secret: the environment's, or else a line of standard input.

    Who types it is asked twice, and sees none of it: mistyped, it would lock its owner out.

    Parameters
    ----------
    variable
        The environment's name for it.
    what
        What a person is asked for: ``Password``.

    Raises
    ------
    SystemExit
        The two differ.
    """
    given = os.environ.get(variable)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    secret = getpass.getpass(f"{what}: ")
    if getpass.getpass("Again: ") != secret:
        raise SystemExit("aerocast-hub: the two differ; nothing was done")
    return secret
