"""The loss account as the operators' page shows it: where everything a gateway took in is now."""

from collections.abc import Iterable, Mapping

from aerocast_hub.gateways.losses import Account
from aerocast_hub.web.views import Fate, LossLine, Tone

NARROWEST_PERCENT = 1.5
"""However few, what was lost stays visible beside millions that were not."""


def loss_lines(
    accounts: Iterable[Account], unanchored: Mapping[tuple[str, str], int]
) -> tuple[LossLine, ...]:
    """Give the account of every gateway that took anything in, those with a loss first."""
    lines = [
        _line(each, unanchored.get((each.site, each.gateway), 0))
        for each in accounts
        if each.accepted
    ]
    return tuple(sorted(lines, key=lambda line: -line.unexplained))


def _line(account: Account, unanchored: int) -> LossLine:
    given_up = sum(account.explained.values())
    settled = account.received + account.refused + given_up + account.unexplained
    waiting = max(0, account.accepted - settled)
    verdict, tone = _verdict(account.unexplained, given_up + account.refused, waiting)
    return LossLine(
        site=account.site,
        name=account.gateway,
        verdict=verdict,
        tone=tone,
        accepted=account.accepted,
        durable=account.durable,
        acknowledged=account.acknowledged,
        stored=account.received,
        waiting=waiting,
        given_up=given_up,
        reasons=", ".join(
            f"{reason.replace('_', ' ')} {number}" for reason, number in account.explained.items()
        ),
        dead=max(account.dead, account.refused),
        unexplained=account.unexplained,
        unanchored=unanchored,
        fates=_fates(
            ("stored", account.received),
            ("waiting", waiting),
            ("given-up", given_up + account.refused),
            ("unexplained", account.unexplained),
        ),
    )


def _verdict(unexplained: int, explained: int, waiting: int) -> tuple[str, Tone]:
    if unexplained:
        return "loss nobody explains", "alarm"
    if explained:
        return "every loss explained", "warn"
    return ("nothing lost", "good") if waiting == 0 else ("nothing lost, some on its way", "good")


def _fates(*numbers: tuple[str, int]) -> tuple[Fate, ...]:
    """Share out a bar of 100 %, so that the smallest share can still be seen."""
    there = [(name, number) for name, number in numbers if number]
    total = sum(number for _, number in there)
    widths = [max(NARROWEST_PERCENT, 100.0 * number / total) for _, number in there]
    fates = []
    start = 0.0
    for (name, _), width in zip(there, widths, strict=True):
        share = 100.0 * width / sum(widths)
        fates.append(Fate(name=name, start_percent=round(start, 2), percent=round(share, 2)))
        start += share
    return tuple(fates)
