"""The machine itself: clock, disk, spool, and whether the devices can be opened."""

import grp
import os
import pwd
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from aerocast_agent import clock
from aerocast_agent.config import (
    AdsbFile,
    AdsbJson,
    Ble,
    Config,
    Device,
    GpsSerial,
    HidScanner,
    Replay,
    SerialScanner,
    SmartCard,
    UhfSerial,
)
from aerocast_agent.doctor.check import Check, doubtful, failed, skipped, well
from aerocast_agent.spool_file import FULL_AT
from aerocast_agent.spool_reading import open_to_read, set_aside
from aerocast_agent.spool_rows import allowance
from aerocast_agent.spool_verify import findings
from aerocast_agent.stable_names import stable_name
from aerocast_agent.status import Status

PCSCD = Path("/run/pcscd/pcscd.comm")
RADIOS = Path("/sys/class/bluetooth")
SERVICE_USER = "aerocast"
UNIT_GROUP = "dialout"  # SupplementaryGroups= of systemd/aerocast-agent.service
READ_THROUGH_BYTES = 64 * 1024 * 1024
"""A larger spool is not read through here: on a memory card that would take a minute."""


class Account(NamedTuple):
    """Who the daemon runs as, and may therefore open what."""

    name: str
    uid: int
    groups: frozenset[int]


def daemons_account() -> Account:
    """Give the service's account when it exists and we may judge for it, else our own."""
    own = os.geteuid()
    try:
        found = pwd.getpwnam(SERVICE_USER) if own == 0 else pwd.getpwuid(own)
    except KeyError:
        return Account(f"user {own}", own, frozenset({os.getegid(), *os.getgroups()}))
    groups = set(os.getgrouplist(found.pw_name, found.pw_gid))
    if found.pw_name == SERVICE_USER:
        groups |= {each.gr_gid for each in grp.getgrall() if each.gr_name == UNIT_GROUP}
    return Account(found.pw_name, found.pw_uid, frozenset(groups))


def check_clock(running: Status | None) -> Check:
    """See how far this machine's time can be trusted, and what the daemon makes of it."""
    quality = clock.quality()
    if running is not None and running.clock_quality == clock.GPS:
        return well("clock", "the daemon has the time from GPS")
    if quality >= clock.NETWORK:
        return well("clock", "set by GPS" if quality == clock.GPS else "set by network time")
    mend = (
        "sudo timedatectl set-ntp true, then 'timedatectl timesync-status'. Nothing is lost "
        "meanwhile: the hub sets the times right when the clock is."
    )
    if quality == clock.UNSET:
        return failed("clock", "not set: it shows a time before this program was made", mend)
    source = "hardware clock" if quality == clock.HARDWARE else "time saved at shutdown"
    return doubtful("clock", f"runs on the {source}, not synchronised", mend)


def check_disk(settings: Config) -> Check:
    """See whether the spool's folder can be written and holds what the budget promises."""
    path = Path(settings.spool.path)
    folder = path.parent
    account = daemons_account()
    try:
        usage = shutil.disk_usage(folder)
        may_write = may(folder.stat(), account, os.W_OK | os.X_OK)
    except OSError as error:
        return failed(
            "disk",
            f"{folder}: {error.strerror}",
            f"sudo install -d -o {account.uid} {folder}, or change [spool] path",
        )
    if not may_write:
        return failed(
            "disk", f"{folder}: {account.name} may not write there",
            f"sudo chown {account.uid} {folder}",
        )  # fmt: skip
    budget = settings.spool.budget_mb * 1024 * 1024
    held = sum(
        part.stat().st_size for part in (path, path.with_name(path.name + "-wal")) if part.exists()
    )
    allowed = allowance(budget, held, (usage.total, usage.free))
    found = (
        f"{usage.free / 1e6:.0f} MB free, the spool takes {held / 1e6:.1f} of {budget / 1e6:.0f} MB"
    )
    if allowed < budget // 10:
        return failed("disk", found, f"make room: sudo du -xh --max-depth=2 {folder.anchor}")
    if allowed < budget:
        mend = f"make room, or lower [spool] budget_mb to {max(8, allowed // 1024**2)}"
        return doubtful("disk", f"{found}; only {allowed / 1e6:.0f} MB can be had", mend)
    return well("disk", found)


def check_spool(settings: Config, status: Status) -> Iterator[Check]:
    """See whether the spool is whole and has room."""
    path = Path(settings.spool.path)
    if path.exists():
        yield _integrity(path)
        share = status.spool_bytes / (settings.spool.budget_mb * 1024 * 1024)
        if share > min(FULL_AT.values()):
            yield doubtful(
                "spool room",
                f"{share:.0%} of the budget is used: what is least urgent is being given up",
                "find out below why the hub does not take it, or raise [spool] budget_mb",
            )
    else:
        yield skipped("spool", f"{path} is not there yet: the daemon makes it")
    for aside in set_aside(path):
        yield doubtful(
            "spool",
            f"{aside.name} lies beside it: a spool that could not be used",
            f"aerocast-agent spool salvage {aside} --into-spool, then remove it",
        )
    if status.evicted or status.dead:
        yield doubtful(
            "losses",
            f"{status.evicted} observations were given up and {status.dead} refused by the hub "
            "since the spool was made; the hub has a record of each",
            "'aerocast-agent spool ls --dead' shows what was refused; for what was given up see "
            "the room above",
        )


def _integrity(path: Path) -> Check:
    mend = f"restart the daemon, it moves the file aside; then aerocast-agent spool salvage {path}"
    try:
        with closing(open_to_read(path)) as db:
            if path.stat().st_size > READ_THROUGH_BYTES:
                size = f"{path.stat().st_size / 1e6:.0f} MB, not read through"
                return well("spool", f"{size}; 'aerocast-agent spool verify' does")
            bad = [each for each in findings(db) if not each.well]
    except PermissionError:
        return skipped("spool", f"{path}: you may not read it; try with sudo")
    except (OSError, sqlite3.Error) as error:
        return failed("spool", f"{path}: {error}", mend)
    if bad:
        return failed("spool", f"{bad[0].what}: {bad[0].found} ({len(bad)} findings)", mend)
    return well("spool", f"{path} is whole")


def check_device(device: Device, status: Status) -> Check | None:
    """See whether a device's file can be opened; None for devices that are no files."""
    if isinstance(device, SerialScanner | GpsSerial | UhfSerial):
        return _port(f"device {device.name}", device.port, status.devices.get(device.name))
    if isinstance(device, HidScanner):
        state = status.devices.get(device.name)
        return _port(f"device {device.name}", device.port, state, "/dev/input/by-id/", os.R_OK)
    if isinstance(device, Replay | AdsbFile | AdsbJson):
        name = f"device {device.name}"
        if Path(device.file).is_file():
            return well(name, f"{device.file} is there")
        return failed(name, f"{device.file} is not there", f"change file of {device.name}")
    if isinstance(device, SmartCard | Ble):
        return check_service(device, status)
    return None


def check_service(
    device: SmartCard | Ble, status: Status, pcscd: Path = PCSCD, radios: Path = RADIOS
) -> Check:
    """See whether what a card reader or a radio is reached through is there."""
    name = f"device {device.name}"
    if status.devices.get(device.name) == "lost":
        told = status.device_errors.get(device.name, "lost")
        return failed(name, told, f"'aerocast-agent probe {device.name}' says more")
    if isinstance(device, SmartCard):
        if not pcscd.exists():
            mend = "sudo apt install pcscd, then sudo systemctl enable --now pcscd.socket"
            return failed(name, f"pcscd does not listen at {pcscd}", mend)
        return well(name, "pcscd listens")
    found = sorted(each.name for each in radios.glob("hci*"))
    if not found or (device.adapter or found[0]) not in found:
        there = ", ".join(found) or "none"
        mend = "plug it in or change adapter; sudo apt install bluez; see 'rfkill list'"
        return failed(name, f"no radio {device.adapter or 'at all'}; there are: {there}", mend)
    return well(name, f"radios: {', '.join(found)}")


def _port(
    name: str,
    port: str,
    state: str | None,
    names: str = "/dev/serial/by-id/",
    wanted: int = os.R_OK | os.W_OK,
) -> Check:
    if "://" in port:
        return skipped(name, f"{port} is no local port")
    account = daemons_account()
    try:
        found = Path(port).stat()
    except OSError as error:
        return failed(
            name, f"{port}: {error.strerror}",
            f"plug it in; 'ls -l {names}' shows the names that are there",
        )  # fmt: skip
    if not stat.S_ISCHR(found.st_mode):
        return failed(name, f"{port} is no device", f"change port of {name}")
    if not may(found, account, wanted):
        group = _group_name(found.st_gid)
        return failed(
            name, f"{port}: {account.name} may not open it",
            f"sudo usermod -aG {group} {account.name}, then restart the daemon",
        )  # fmt: skip
    if state == "lost":
        return failed(name, f"{port} is there and the daemon has lost it", "see 'status'")
    return _well(name, port, state)


def _well(name: str, port: str, state: str | None) -> Check:
    stable = stable_name(port)
    if stable not in {None, port}:
        return doubtful(
            name, f"{port} can be opened, but may be another device after the next start",
            f"write port = \"{stable}\" in agent.toml: that name stays",
        )  # fmt: skip
    return well(name, f"{port} can be opened" + (f"; {state}" if state == "connected" else ""))


def may(found: os.stat_result, account: Account, wanted: int) -> bool:
    """Say whether an account may do what is wanted (``os.R_OK`` ...) with a file."""
    if account.uid == 0:
        return True
    if found.st_uid == account.uid:
        granted = found.st_mode >> 6
    elif found.st_gid in account.groups:
        granted = found.st_mode >> 3
    else:
        granted = found.st_mode
    return granted & wanted == wanted


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
