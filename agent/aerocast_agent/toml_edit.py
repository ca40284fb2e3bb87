"""Set keys of one table in a TOML text, and leave every other byte of it as people wrote it."""

import json
import tomllib
from collections.abc import Mapping

from aerocast_agent.toml_lines import find_lines


class EditError(Exception):
    """The text cannot be edited safely; the message says what to write by hand."""


def set_keys(text: str, table: str, values: Mapping[str, str | None]) -> str:
    """Set keys of a table to strings, or take them out (None); the table is made if need be.

    Raises
    ------
    EditError
        The table is written in a way that this does not follow.
    """
    wanted = tomllib.loads(text)
    own = wanted.setdefault(table, {})
    lines, numbers = text.splitlines(), find_lines(text)
    written = {
        key: f"{key} = {_string(value)}" for key, value in values.items() if value is not None
    }
    if (table,) not in numbers:
        lines += ["", f"[{table}]", *written.values()]
    else:
        new = [written[key] for key in written if (table, key) not in numbers]
        # From the last line to the first, so that numbers stay true.
        for key in sorted(values, key=lambda each: -numbers.get((table, each), 0)):
            at = numbers.get((table, key))
            if at is not None:
                lines[at - 1 : at] = [written[key]] if key in written else []
        after = numbers[(table,)]
        lines[after:after] = new
    for key, value in values.items():
        if value is None:
            own.pop(key, None)
        else:
            own[key] = value
    edited = "\n".join(lines) + "\n"
    try:
        is_right = tomllib.loads(edited) == wanted
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise EditError(f"write this into [{table}] yourself:\n" + "\n".join(written.values()))
    return edited


def _string(value: str) -> str:
    # TOML writes strings as JSON does, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
