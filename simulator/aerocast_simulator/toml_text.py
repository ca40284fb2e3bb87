"""Write an agent.toml from what was read of one."""

import json
from collections.abc import Mapping
from datetime import date, time


def to_toml(configuration: Mapping[str, object]) -> str:
    """Write a configuration as TOML: tables, arrays of tables, and plain values inline."""
    lines: list[str] = []
    for key, value in configuration.items():
        if isinstance(value, Mapping):
            lines += [f"[{key}]", *(f"{k} = {_value(v)}" for k, v in value.items()), ""]
        elif isinstance(value, list):
            for table in value:
                lines += [f"[[{key}]]", *(f"{k} = {_value(v)}" for k, v in table.items()), ""]
        else:
            raise TypeError(f"agent.toml has the value {key!r} outside a table")
    return "\n".join(lines)


def _value(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, date | time):
        return value.isoformat()
    # TOML writes numbers and strings as JSON does, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
