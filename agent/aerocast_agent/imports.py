"""Load what the daemon needs, and leave out what its libraries import only in case.

A gateway has little memory, and those modules would take a fifth of the daemon's.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

# msgspec takes from it what typing has too.
NEWER_TYPES = "typing_extensions"
# paho uses these to find a broker by DNS or through a proxy; ours is named in agent.toml.
DETOURS = ("socks", "dns")
PROXIES = "urllib.request"
# Python's own hashes do as well for what we hash.
TLS = ("ssl", "_hashlib")


@contextmanager
def leaving_out(*absent: str, empty: tuple[str, ...] = ()) -> Iterator[None]:
    """While it lasts, modules named ``absent`` cannot be imported and ``empty`` ones hold nothing.

    What is loaded already stays. Afterwards each can be imported as ever.
    """
    stand_ins: dict[str, ModuleType | None] = dict.fromkeys(absent)
    stand_ins |= {name: ModuleType(name) for name in empty}
    added = {name: each for name, each in stand_ins.items() if name not in sys.modules}
    sys.modules.update(added)  # type: ignore[arg-type]  # None means: not there
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]
