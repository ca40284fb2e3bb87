"""What documents profiles beside them: a JSON Schema for editors, a page for people.

Both are drawn from the structs of `profiles`, whose docstrings say what each field is.
"""

import inspect
import json
import re
from typing import Any

import msgspec

from aerocast_agent.profile_files import KINDS
from aerocast_agent.profiles import AnyProfile, Profile

SCHEMA = "profile.schema.json"
FIELDS = "README.md"
_HEAD = """\
# Device profiles

How to set up a model of device. agent.toml names one for a device (`profile = "impinj-r700-etsi"`),
or a file of your own by its path, from agent.toml's folder (`profile = "portal-4.toml"`).

`aerocast-agent profiles apply DEVICE --dry-run` shows how a device differs from its profile.
Without `--dry-run` it writes what differs, reads it back, and puts the former settings back if
anything was not taken.

This page is what `aerocast-agent profiles fields` prints.
"""
_TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "yes or no"}


def schema() -> str:
    """Give the JSON Schema of profiles, as it is kept beside them; every field says what it is."""
    (made,), parts = msgspec.json.schema_components([AnyProfile])
    for kind in KINDS.values():
        properties = parts[kind.__name__]["properties"]
        for key, meaning in _meanings(kind).items():
            properties[key]["description"] = meaning
    whole: dict[str, object] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "$defs": parts,
    }
    return json.dumps(whole, indent=2) + "\n"


def fields_page() -> str:
    """Give the page that documents every field of every kind of profile."""
    lines = [*_HEAD.splitlines()]
    for name, kind in KINDS.items():
        lines += ["", f'## `kind = "{name}"`', "", _summary(kind), ""]
        lines += ["| key | value | left out | what it is |", "|---|---|---|---|"]
        meanings = _meanings(kind)
        properties = msgspec.json.schema_components([kind])[1][kind.__name__]["properties"]
        for field in msgspec.structs.fields(kind):
            default = "-" if field.required else _left_out(field.encode_name, field.default)
            key = field.encode_name
            lines.append(
                f"| `{key}` | {_value(properties[key])} | {default} | {meanings.get(key, '')} |"
            )
    return "\n".join(lines) + "\n"


def _summary(kind: type[Profile]) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def _meanings(kind: type[Profile]) -> dict[str, str]:
    """Read what each field is from the docstrings of a kind and of what it builds upon."""
    found: dict[str, str] = {}
    for part in reversed(kind.__mro__):
        attributes = inspect.cleandoc(part.__dict__.get("__doc__") or "").partition("----------\n")[
            2
        ]
        names: list[str] = []
        for line in attributes.splitlines():
            if key_line := re.fullmatch(r"[a-z][a-z_, ]*", line):
                names = key_line.group().split(", ")
                found.update(dict.fromkeys(names, ""))
            else:
                for key in names:
                    found[key] = f"{found[key]} {line.strip()}".strip().replace("``", "`")
    return found


def _left_out(key: str, default: object) -> str:
    if default is None:
        return "not known" if key == "antenna_gain_dbi" else "as the device is"
    if default == ():
        return "none"
    return f"`{json.dumps(default)}`"


def _value(schema: dict[str, Any]) -> str:
    """Word what a key may hold."""
    if "anyOf" in schema:
        return " or ".join(_value(each) for each in schema["anyOf"] if each != {"type": "null"})
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "items" in schema:
        return f"list of: {_value(schema['items'])}"
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = "" if low is None and high is None else f" {low} to {high}"
    return f"{_TYPES.get(str(schema.get('type')), 'table')}{bounds}"
