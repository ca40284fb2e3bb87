"""`aerocast-hub keys list|rotate|accept`."""

import argparse
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.acting import COMMAND_LINE
from aerocast_hub.auth import audit
from aerocast_hub.auth.token_keys import KeyState, key_states, rotate
from aerocast_hub.commands.output import print_json, print_table
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.settings import load_settings
from aerocast_hub.shared_keys.checking import forget_marks, known_marks, note_token_keys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the keys tokens are checked against")
    turn = actions.add_parser(
        "rotate",
        help="sign with a new key from now on",
        description="Running hubs take the new key up by themselves. Tokens of the old one stay "
        "good until they end, within 15 minutes.",
    )
    turn.add_argument(
        "--compromised",
        action="store_true",
        help="somebody has the old key: refuse its tokens within seconds; everybody refreshes",
    )
    accept = actions.add_parser(
        "accept",
        help="take this hub's keys as the right ones",
        description="A hub that has other keys than its database is used with does not start. "
        "When those are lost for good: the next hub that starts says which are the right ones. "
        "What was sealed or signed with the others stays shut.",
    )
    for each in (listing, turn, accept):
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions."""
    folder = load_settings().data_dir
    if arguments.action == "rotate":

        async def turn(session: AsyncSession) -> None:
            await known_marks(session)  # refused before anything is rotated
            made = rotate(folder, is_compromised=arguments.compromised)
            await note_token_keys(session, [each.id for each in key_states(folder)])
            await _record(session, "keys_rotated", made.id)

        _change(turn)
    elif arguments.action == "accept":

        async def accept(session: AsyncSession) -> None:
            await forget_marks(session)
            await _record(session, "keys_accepted", "this hub's keys")

        _change(accept)
    states = key_states(folder)
    if arguments.json:
        for state in states:
            print_json(state)
    else:
        headings = {"id": "KEY", "made": "MADE", "state": "STATE"}
        print_table(headings, [_row(state) for state in states])
    return 0


def _change(work: Callable[[AsyncSession], Awaitable[None]]) -> None:
    async def change(database: Database) -> None:
        async with database.writing() as session:
            await work(session)

    with_database(change)


async def _record(session: AsyncSession, action: audit.Action, subject: str) -> None:
    now_us = time.time_ns() // 1000
    await audit.record(session, action, account=subject, actor=COMMAND_LINE, at_us=now_us)


def _row(state: KeyState) -> dict[str, object]:
    until = "signs"
    if state.good_until_us is not None:
        until = f"good until {_at(state.good_until_us):%Y-%m-%d %H:%M} UTC"
    return {"id": state.id, "made": f"{_at(state.made_at_us):%Y-%m-%d}", "state": until}


def _at(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1_000_000, UTC)
