"""What others tell over EPCIS about bags, as evidence. Pure.

Events about anything else are kept too, and are evidence of nothing here.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from aerocast_protocols.epcis.event_hash import time_us
from aerocast_protocols.epcis.vocabulary import bare

from aerocast_hub.baggage.evidence import BagEvidence, Handled, Leg, Screened, Seen, Stowed, Voided
from aerocast_hub.epcis.names import BagName, bag_of, container_of, flight_of, place_of
from aerocast_hub.schedule import flight_key

_POINTS = {
    "accepting": "acceptance",
    "inspecting": "screening",
    "picking": "sortation",
    "staging_outbound": "makeup",
    "loading": "loading",
    "receiving": "transfer",
    "unloading": "arrival",
    "arriving": "arrival",
}
_RESULTS = {"conformant": "cleared", "non_conformant": "rejected"}
_DONE = {"holding": "held", "storing": "stored"}


def evidence_in(
    event: Mapping[str, object], event_id: str, told_by: str, now_us: int
) -> list[tuple[str, BagEvidence]]:
    """Give what an event says of bags: pairs of a plate and evidence.

    Parameters
    ----------
    event
        Checked against its schema.
    told_by
        Who captured it.
    """
    at_us = time_us(str(event["eventTime"]))
    told: list[tuple[str, BagEvidence]] = []
    for bag in _bags(event):
        named = f"epcis/{event_id}/{bag.plate}"
        given = {"at_us": at_us, "known_at_us": now_us, "told_by": told_by}
        if "errorDeclaration" in event:
            voided = Voided(id=f"{named}/void", voids=named, by=told_by, **given)  # type: ignore[arg-type]  # as named above
            told.append((bag.plate, voided))
            continue
        each = _evidence(event, bag, {"id": named, **given})
        if each is not None:
            told.append((bag.plate, each))
    return told


def _bags(event: Mapping[str, object]) -> Iterator[BagName]:
    for field in ("epcList", "childEPCs"):
        listed = event.get(field)
        for uri in listed if isinstance(listed, Iterable) else ():
            bag = bag_of(uri)
            if bag is not None:
                yield bag


def _evidence(
    event: Mapping[str, object], bag: BagName, given: dict[str, object]
) -> BagEvidence | None:
    site, place = _where(event)
    if event["type"] == "AggregationEvent" and event["action"] != "OBSERVE":
        container, leg = container_of(event.get("parentID")), _leg(event)
        if container is not None or leg is not None:
            return Stowed(
                container=container or "",
                leg=leg,
                is_in=event["action"] == "ADD",
                site=site,
                **given,  # type: ignore[arg-type]  # id, times and teller
            )
    step = bare("bizStep", str(event.get("bizStep", "")))
    disposition = bare("disposition", str(event.get("disposition", "")))
    if step == "inspecting" and disposition in _RESULTS:
        return Screened(result=_RESULTS[disposition], site=site, **given)  # type: ignore[arg-type]  # as above
    if step in _DONE:
        return Handled(did=_DONE[step], by="EPCIS", site=site, place=place, **given)  # type: ignore[arg-type]  # as above
    if not site:
        return None  # seen, but nobody can say where
    point = _POINTS.get(step, "")
    if step == "staging_outbound" and disposition == "available":
        point = "reclaim"
    return Seen(
        site=site,
        point=point,
        belt=place,
        witness="message",
        day_of_year=_day_of_year(bag.date),
        **given,  # type: ignore[arg-type]  # as above
    )


def _where(event: Mapping[str, object]) -> tuple[str, str]:
    for field in ("readPoint", "bizLocation"):
        holder = event.get(field)
        place = place_of(holder.get("id")) if isinstance(holder, Mapping) else None
        if place is not None:
            return place
    return "", ""


def _leg(event: Mapping[str, object]) -> Leg | None:
    listed = event.get("bizTransactionList")
    named = [event.get("parentID")]
    named += [
        each.get("bizTransaction")
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, Mapping)
    ]
    for uri in named:
        flight = flight_of(uri)
        if flight is not None and _is_date(flight[1]):
            return Leg(flight[0].upper(), flight_key(flight[0]), flight[1])
    return None


def _day_of_year(text: str) -> int:
    return date.fromisoformat(text).timetuple().tm_yday if _is_date(text) else 0


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
