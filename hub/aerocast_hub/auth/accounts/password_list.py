"""The operator's own list of passwords nobody should have: a text file, one a line.

It is read from end to end each time somebody chooses a password, which is seldom: nothing of it is
kept in memory, and what is written into it holds from the next choice on. 14 million lines take
some seconds, in the threads passwords are hashed in.
"""

from pathlib import Path

LONGEST_LINE = 4096  # bytes; what is longer is no password


def is_listed(password: str, file: Path) -> bool:
    """Say whether a password is a line of the file; small and capital letters are the same.

    Raises
    ------
    OSError
        It cannot be read.
    """
    wanted = password.casefold().strip()
    with file.open("rb") as lines:
        while line := lines.readline(LONGEST_LINE):
            if line.decode(errors="replace").strip().casefold() == wanted:
                return True
    return False
