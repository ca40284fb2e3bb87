"""Find out how one device is: what it says about itself, what is wrong, and how to mend it."""

import asyncio
import errno
import re
import socket

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.gateways import DeviceEvent, DeviceHealth

from aerocast_agent import clock
from aerocast_agent.device_watch import LOST, DeviceWatch
from aerocast_agent.driver import Driver, Fact, Fault, Probeable, ProbeReport

ANSWER_WITHIN_S = 20.0
TRY_FOR_S = 5.0
"""How long a device that cannot tell about itself is tried, when no daemon runs it."""


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """How a device is.

    Attributes
    ----------
    says, antennas, faults
        As in `ProbeReport`; ``faults`` with those that showed on the way.
    health
        How it has done since the daemon started, or in the moments of trying it.
    """

    device: str
    says: dict[str, Fact] = {}
    antennas: dict[int, bool] = {}
    faults: tuple[Fault, ...] = ()
    health: DeviceHealth | None = None


async def ask(driver: Driver) -> ProbeReport:
    """Ask a device about itself; an error is a fault with its mend, and not raised."""
    if not isinstance(driver, Probeable):
        return ProbeReport()
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await driver.probe()
    except TimeoutError as error:
        late = TimeoutError(str(error) or f"no answer within {ANSWER_WITHIN_S:.0f} s")
        return ProbeReport(faults=(fault_of(late),))
    except (OSError, ProtocolError, ValueError, ImportError) as error:
        return ProbeReport(faults=(fault_of(error),))


async def try_alone(driver: Driver) -> Probed:
    """Ask a device that no daemon runs: connect to it for a moment, and see what comes."""
    if isinstance(driver, Probeable):
        return judged(driver.name, await ask(driver), None)
    watch = DeviceWatch()
    accepted = 0
    connected = asyncio.Event()

    def accept(observation: Observation) -> None:
        nonlocal accepted
        watch.saw(observation)
        watch.look(clock.boot_ns())
        accepted += 1
        if isinstance(observation, DeviceEvent) and observation.event == "connected":
            connected.set()

    report = ProbeReport()
    try:
        async with asyncio.timeout(TRY_FOR_S):
            await driver.run(accept)
    except TimeoutError as error:
        if not connected.is_set():
            late = TimeoutError(str(error) or f"it did not connect within {TRY_FOR_S:.0f} s")
            report = ProbeReport(faults=(fault_of(late),))
    except (OSError, ProtocolError, ValueError, ImportError) as error:
        report = ProbeReport(faults=(fault_of(error),))
    return judged(driver.name, report, watch.health(clock.boot_ns()))


def judged(device: str, report: ProbeReport, health: DeviceHealth | None) -> Probed:
    """Put together what a device says and how it has done; each fault once."""
    antennas = report.antennas or (health.antennas if health else {})
    faults = list(report.faults)
    said = " ".join(fault.found for fault in faults)
    for port, connected in sorted(antennas.items()):
        if not connected and f"antenna {port} " not in f"{said} ":
            faults.append(
                Fault(
                    found=f"antenna {port} is not connected",
                    mend=f"screw the cable to port {port} tight; then try another cable or antenna",
                )
            )
    if health is not None and health.silent:
        faults.append(
            Fault(
                found="connected, and nothing has been seen of it for longer than silent_after_s",
                mend="hold a tag or code before it; see that it is switched on and set to read",
            )
        )
    unanswered = not report.faults and not report.says
    if health is not None and health.state == LOST and health.error and unanswered:
        faults.append(Fault(found=health.error, mend=mend_of(health.error)))
    return Probed(
        device=device, says=report.says, antennas=antennas, faults=tuple(faults), health=health
    )


_OTHER = "switch it off and on; 'aerocast-agent tail -f' shows when it is back"
_NETWORK = "see that it has power and a link light, and that 'ping' reaches its host"
_MENDS = {
    "FileNotFoundError": (
        "plug it in; 'ls -l /dev/serial/by-id/' shows the names that are there; correct its port "
        "or file in agent.toml"
    ),
    "PermissionError": "sudo usermod -aG dialout aerocast, then restart the daemon",
    "ConnectionRefusedError": (
        "it is there but does not take us: end other programs that use it, and see that the "
        "service is switched on in its own settings"
    ),
    "ConnectionResetError": _NETWORK,
    "TimeoutError": _NETWORK,
    "gaierror": "its host has no address: correct host in agent.toml, or ask the network's people",
    "ProtocolError": (
        "it answers, but not as this kind of device does: correct kind, port or baud in agent.toml"
    ),
    "RequestRefusedError": "it refuses a setting: see 'aerocast-agent profiles apply --dry-run'",
    "ImportError": "install what the message names",
    "ModuleNotFoundError": "install what the message names",
    "SerialException": (
        "see that it is plugged in and that no other program has the port: 'sudo fuser -v PORT'"
    ),
}
_BY_NUMBER = {
    errno.EBUSY: _MENDS["SerialException"],
    errno.EHOSTUNREACH: _NETWORK,
    errno.ENETUNREACH: "this gateway has no way to that network: check cable and address",
    errno.ENOENT: _MENDS["FileNotFoundError"],
    errno.EACCES: _MENDS["PermissionError"],
}


def mend_of(told: str) -> str:
    """Say what mends an error that the supervisor has told of: its kind, a colon, its words."""
    number = re.search(r"\[Errno (\d+)\]", told)
    if number is not None and int(number[1]) in _BY_NUMBER:
        return _BY_NUMBER[int(number[1])]
    return _MENDS.get(told.partition(":")[0], _OTHER)


def fault_of(error: Exception) -> Fault:
    """Word an error, with what mends it."""
    mend = _OTHER
    if isinstance(error, socket.gaierror):
        mend = _MENDS["gaierror"]
    elif isinstance(error, OSError) and error.errno in _BY_NUMBER:
        mend = _BY_NUMBER[error.errno]
    else:
        known = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _MENDS]
        mend = _MENDS[known[0]] if known else _OTHER
    return Fault(found=str(error) or type(error).__name__, mend=mend)
