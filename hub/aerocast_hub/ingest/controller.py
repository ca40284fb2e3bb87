"""Partners' systems hand in what they saw over HTTP."""

from collections.abc import Sequence
from typing import Any

import msgspec
from aerocast_protocols.batch import (
    REFUSED,
    SLOW_DOWN,
    STORED,
    UNKNOWN_GATEWAY,
    Acknowledgement,
)
from aerocast_protocols.topics import is_name
from litestar import Controller, Request, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import (
    NotFoundException,
    PermissionDeniedException,
    ServiceUnavailableException,
)
from litestar.params import FromPath, JSONBody

from aerocast_hub.auth.tokens import Principal
from aerocast_hub.ingest.decoding import ReportOnce
from aerocast_hub.ingest.reported import Report
from aerocast_hub.ingest.taking import PartnerInbox

PATH = "/api/ingest"
PERMISSION = "ingest:write"
LARGEST_BODY = 1_048_576
TOLD = "aerocast_told"
"""Where a request's state holds what the inbox has said of it already."""
Range = tuple[int, int]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub has of a partner's events, after its commit.

    Attributes
    ----------
    up_to_sequence
        Everything up to and including it is stored; 0 when nothing is.
    highest_sequence
        The highest stored.
    missing
        Ranges between the two, ends included, that are still to come.
    refused
        Ranges that came and can never be stored.
    retry_after_ms
        Wait so long before sending more; 0 when the hub keeps up.
    """

    epoch: int
    up_to_sequence: int
    highest_sequence: int
    missing: list[Range]
    refused: list[Range]
    retry_after_ms: int


class IngestController(Controller):
    """Events from partners' systems: sorters, other airports' portals, hand scanners' servers.

    Closed to accounts bound to some airlines: what an event changes is folded from every row.
    """

    path = PATH
    tags = ("Ingest",)

    @post(
        "/{site:str}",
        operation_id="IngestEvents",
        # No line in the audit trail: each event is kept under the account's name, and counted.
        opt={
            "permission": PERMISSION,
            "changes": False,
            "paced": True,  # `retry_after_ms`
            "errors": {503: "Nothing was stored: send it again later."},
        },
        status_code=200,
        request_max_body_size=LARGEST_BODY,
        dto=ReportOnce,
        return_dto=None,
    )
    async def take(
        self,
        site: FromPath[str],
        request: Request[Principal, Any, State],
        data: JSONBody[Report],
        partner_inbox: NamedDependency[PartnerInbox],
    ) -> Kept:
        """Take in up to 1,000 events, and say what is stored.

        The account speaks for the gateway of its own name at the site (`aerocast-hub gateway add
        SITE ACCOUNT`), and for no other. It numbers its events from 1; the same numbers sent again
        change nothing, so whatever was not answered is simply sent again. Events may come in any
        order; what is still to come is told as missing.

        Raises
        ------
        NotFoundException
            No gateway of the account's name is registered at the site.
        PermissionDeniedException
            The account's name can be no gateway's.
        ServiceUnavailableException
            Nothing was stored: send it again later.
        """
        name = request.user.name
        if not (is_name(site) and is_name(name)):
            raise PermissionDeniedException(
                f"{name} at {site} can be no gateway: names are [a-z0-9-]{{1,32}}"
            )
        told: list[Acknowledgement] | None = request.scope["state"].get(TOLD)
        if told is None:
            told = await partner_inbox.take(site, name, data)
        if any(each.status == UNKNOWN_GATEWAY for each in told):
            raise NotFoundException(
                f"no gateway {name} at {site}: an administrator registers it with"
                f" `aerocast-hub gateway add {site} {name}`"
            )
        kept = kept_of(data, told)
        if kept is None:
            raise ServiceUnavailableException("nothing was stored: send it again later")
        return kept


def kept_of(report: Report, told: Sequence[Acknowledgement]) -> Kept | None:
    """Say what the hub has after a report, by what the inbox acknowledged; None: not this one."""
    ours = [each for each in told if each.epoch == report.epoch]
    stored = [each for each in ours if each.status in (STORED, SLOW_DOWN)]
    if not stored:
        return None
    until = report.first_sequence + len(report.events)
    refused = [
        some
        for each in ours
        if each.status == REFUSED
        for some in each.missing_ranges
        if some[0] < until and some[1] >= report.first_sequence
    ]
    last = stored[-1]  # each tells of everything before it
    return Kept(
        epoch=report.epoch,
        up_to_sequence=last.up_to_sequence,
        highest_sequence=max(last.highest_sequence, last.up_to_sequence),
        missing=list(last.missing_ranges),
        refused=refused,
        retry_after_ms=last.retry_after_ms,
    )
