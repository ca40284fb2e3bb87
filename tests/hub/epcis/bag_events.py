"""Documents others might send."""

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
PLATE = "0220123456"
BAG = f"https://other.example/id/bag/{PLATE}.2026-11-22"


def seen(minute=0, **fields):
    return {
        "type": "ObjectEvent",
        "eventTime": f"2026-11-22T20:{minute:02d}:00+01:00",
        "eventTimeZoneOffset": "+01:00",
        "epcList": [BAG],
        "action": "OBSERVE",
        "bizStep": "accepting",
        "disposition": "in_progress",
        "readPoint": {"id": "https://other.example/id/place/lfpg/desk-7"},
    } | fields


def document(*events, **fields):
    return {
        "@context": [CONTEXT, {"ext": "https://other.example/ns/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-22T21:00:00Z",
        "epcisBody": {"eventList": list(events)},
    } | fields
