"""Have ``diagnose --send`` done by a process of its own: the daemon goes on, and stays small."""

import asyncio
import sys
from pathlib import Path

import msgspec

WITHIN_S = 240.0
"""The checks, the log, and a slow line to the hub; less than an order to do it is good for."""


class DiagnosisError(Exception):
    """No bundle came to the hub; the message says why."""


class _Told(msgspec.Struct, frozen=True):
    """What the command says: where the hub keeps the bundle and its bytes, or why it does not."""

    key: str = ""
    size: int = 0
    error: str = ""


async def send_bundle(config: Path) -> str:
    """Make the bundle and send it to the hub's store of objects; say what it is called there.

    Raises
    ------
    DiagnosisError
        It could not be made or sent, or not in time.
    """
    command = (sys.executable, "-m", "aerocast_agent.cli", "diagnose", "--send", "--json")
    try:
        process = await asyncio.create_subprocess_exec(
            *command, "--config", str(config), stdout=asyncio.subprocess.PIPE
        )
    except OSError as error:
        raise DiagnosisError(f"no process can be started: {error}") from error
    try:
        async with asyncio.timeout(WITHIN_S):
            said, _ = await process.communicate()
        told = msgspec.json.decode(said, type=_Told)
    except TimeoutError as error:
        raise DiagnosisError(f"it took longer than {WITHIN_S:.0f} s") from error
    except msgspec.DecodeError as error:
        raise DiagnosisError(
            f"the command ended with status {process.returncode}: see the gateway's log"
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if told.error or not told.key:
        raise DiagnosisError(told.error or "the command did not say where the bundle is")
    return f"{told.size} bytes are in the hub's store, {told.key}"
