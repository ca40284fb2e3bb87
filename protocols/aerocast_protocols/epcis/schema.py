"""What an EPCIS 2.0 event and document in JSON must look like, as JSON Schema (draft 7).

Written from the standard's facts (EPCIS 2.0 §7 and §10): a schema for a document without its
events, and one for each type of event, so that whoever checks can name the event that is wrong.
Compile them with format assertions on. Wider than GS1's own schema in two places, where published
examples are: ``persistentDisposition`` stands in every type of event, and
`vocabulary.MEASUREMENT_TYPES` has one word more.
"""

from collections.abc import Collection, Mapping, Sequence

from aerocast_protocols.epcis.vocabulary import (
    ACTIONS,
    ALERT_TYPES,
    BIZ_STEPS,
    BIZ_TRANSACTION_TYPES,
    COMPONENTS,
    DISPOSITIONS,
    ERROR_REASONS,
    MEASUREMENT_TYPES,
    SOURCE_DESTINATION_TYPES,
)

Schema = dict[str, object]

DRAFT = "http://json-schema.org/draft-07/schema#"
EVENT_TYPES = (
    "ObjectEvent",
    "AggregationEvent",
    "AssociationEvent",
    "TransactionEvent",
    "TransformationEvent",
)
DOCUMENT_TYPES = ("EPCISDocument", "EPCISQueryDocument")

_URI: Schema = {"type": "string", "format": "uri"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_OWN_FIELD = "^[A-Za-z][A-Za-z0-9+.-]*:."  # <prefix>:<name> or an address: an extension
_NOT_CBV = r"^(?!urn:epcglobal:cbv:?|https?://ns\.gs1\.org/cbv/)"
_NOT_GS1 = r"^(?!https?://(www\.)?gs1\.org/voc/)"


def event_schema(kind: str | None) -> Schema:
    """Give the schema for a type of event; None: for types others invented."""
    if kind not in EVENT_TYPES:
        return {
            "$schema": DRAFT,
            "type": "object",
            "properties": {**_COMMON, "type": _URI},
            "required": ["type", "eventTime", "eventTimeZoneOffset"],
        }
    own, required, alternatives = _EVENTS[kind]
    properties = {**_COMMON, **_WHY, **own, "type": {"const": kind}}
    return {"$schema": DRAFT, **_object(properties, (*_REQUIRED, *required)), **alternatives}


def document_schema(kind: str) -> Schema:
    """Give the schema for a document of ``DOCUMENT_TYPES``, its events aside."""
    outer: Schema = {
        "@context": _CONTEXT,
        "id": _URI,
        "type": {"const": kind},
        "schemaVersion": {"type": "string", "pattern": r"^\d+(\.\d+)*$"},
        "creationDate": _TIME,
    }
    events: Schema = {"type": "array"}
    if kind == "EPCISDocument":
        outer |= {"instanceIdentifier": _TEXT, "sender": _TEXT, "receiver": _TEXT}
        outer["epcisHeader"] = _object({"epcisMasterData": _MASTER_DATA})
        outer["epcisBody"] = {
            "type": "object",
            "properties": {"eventList": events},
            "required": ["eventList"],
        }
        required = ("@context", "type", "schemaVersion", "creationDate", "epcisBody")
        return {"$schema": DRAFT, **_object(outer, required)}
    results = _object({"eventList": events, "vocabularyList": _VOCABULARIES}, ("eventList",))
    found = _object(
        {"queryName": _TEXT, "subscriptionID": _TEXT, "resultsBody": results},
        ("queryName", "resultsBody"),
    )
    outer["epcisBody"] = _object({"queryResults": found}, ("queryResults",))
    return {"$schema": DRAFT, **_object(outer, ("@context", "type", "epcisBody"))}


def _object(properties: Mapping[str, object], required: Sequence[str] = ()) -> Schema:
    """Allow these fields and extensions."""
    return {**_closed(properties, required), "patternProperties": {_OWN_FIELD: {}}}


def _closed(properties: Mapping[str, object], required: Sequence[str] = ()) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: Schema, **more: object) -> Schema:
    return {"type": "array", "items": items, **more}


def _words(words: Collection[str], others: str = _NOT_CBV) -> Schema:
    """Allow the words of a vocabulary, and others' words as addresses."""
    return {"anyOf": [{"enum": sorted(words)}, {**_URI, "pattern": others}]}


def _filled(name: str) -> Schema:
    return {"properties": {name: {"type": "array", "minItems": 1}}, "required": [name]}


def _either(*names: str, or_deleted: bool = True) -> Schema:
    """Ask for one of some lists; to take apart, a parent may say enough."""
    filled = [_filled(name) for name in names]
    deleted: list[Schema] = [{"properties": {"action": {"const": "DELETE"}}}] if or_deleted else []
    return {"anyOf": [*filled, *deleted]}


_CONTEXT: Schema = {
    "anyOf": [
        _URI,
        {"type": "object"},
        _list({"anyOf": [_URI, {"type": "object"}]}, uniqueItems=True),
    ]
}
_VOCABULARIES: Schema = _list(
    {
        "type": "object",
        "properties": {
            "type": _URI,
            "vocabularyElementList": _list(
                {
                    "type": "object",
                    "properties": {
                        "id": _URI,
                        "attributes": _list(
                            {
                                "type": "object",
                                "properties": {
                                    "id": _URI,
                                    "attribute": {"type": ["number", "string", "object"]},
                                },
                                "required": ["id"],
                            }
                        ),
                        "children": _list(_URI),
                    },
                    "required": ["id"],
                }
            ),
        },
        "required": ["type"],
    }
)
_MASTER_DATA: Schema = {"type": "object", "properties": {"vocabularyList": _VOCABULARIES}}
_PLACE = _object({"id": _URI}, ("id",))
_PLACE["additionalProperties"] = {}  # read points and locations are open to anything
_QUANTITIES = _list(
    _closed(
        {"epcClass": _URI, "quantity": _NUMBER, "uom": {**_TEXT, "pattern": "^[A-Z0-9]{2,3}$"}},
        ("epcClass",),
    )
)
_DISPOSITION = _words(DISPOSITIONS)
_SOME_DISPOSITIONS = _list(_DISPOSITION, minItems=1, uniqueItems=True)
_DEVICES: Schema = {
    "deviceID": _URI,
    "deviceMetadata": _URI,
    "rawData": _URI,
    "dataProcessingMethod": _URI,
    "bizRules": _URI,
    "time": _TIME,
}
_REPORT = _object(
    {
        **_DEVICES,
        "type": _words(MEASUREMENT_TYPES, _NOT_GS1),
        "exception": _words(ALERT_TYPES, _NOT_GS1),
        "component": _words(COMPONENTS),
        "stringValue": _TEXT,
        "booleanValue": {"type": "boolean"},
        "hexBinaryValue": {**_TEXT, "pattern": "^[A-Fa-f0-9]+$"},
        "uom": _TEXT,
        **dict.fromkeys(
            ("microorganism", "chemicalSubstance", "coordinateReferenceSystem", "uriValue"), _URI
        ),
        **dict.fromkeys(
            ("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"), _NUMBER
        ),
    },
    ("type",),
)
_SENSORS = _list(
    _object(
        {
            "sensorMetadata": _object({**_DEVICES, "startTime": _TIME, "endTime": _TIME}),
            "sensorReport": _list(_REPORT, minItems=1),
        },
        ("sensorReport",),
    )
)
_COMMON: Schema = {
    "@context": _CONTEXT,
    "eventTime": _TIME,
    "recordTime": _TIME,
    "eventTimeZoneOffset": {
        "type": "string",
        "pattern": "^[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)$",
    },
    "eventID": _URI,
    "certificationInfo": {"anyOf": [_URI, _list(_URI)]},
    "errorDeclaration": _object(
        {
            "declarationTime": _TIME,
            "reason": _words(ERROR_REASONS),
            "correctiveEventIDs": _list(_URI),
        },
        ("declarationTime",),
    ),
}
_REQUIRED = ("type", "eventTime", "eventTimeZoneOffset")
_WHY: Schema = {
    "bizStep": _words(BIZ_STEPS),
    "disposition": _DISPOSITION,
    "persistentDisposition": {
        **_closed({"set": _SOME_DISPOSITIONS, "unset": _SOME_DISPOSITIONS}),
        "minProperties": 1,
    },
    "readPoint": _PLACE,
    "bizLocation": _PLACE,
    "bizTransactionList": _list(
        _closed(
            {"type": _words(BIZ_TRANSACTION_TYPES), "bizTransaction": _URI}, ("bizTransaction",)
        )
    ),
    "sourceList": _list(
        _closed({"type": _words(SOURCE_DESTINATION_TYPES), "source": _URI}, ("type", "source"))
    ),
    "destinationList": _list(
        _closed(
            {"type": _words(SOURCE_DESTINATION_TYPES), "destination": _URI},
            ("type", "destination"),
        )
    ),
    "sensorElementList": _SENSORS,
}
_ACTION: Schema = {"action": {"type": "string", "enum": list(ACTIONS)}}
_EPCS = _list(_URI, uniqueItems=True)
# An item's own data, as extensions only: told when it comes into being.
_ILMD: Schema = {"type": "object", "propertyNames": _URI}
_PARENT: Schema = {
    **_ACTION,
    "parentID": _URI,
    "childEPCs": _list(_URI),
    "childQuantityList": _QUANTITIES,
}
_EVENTS: Mapping[str, tuple[Schema, Sequence[str], Schema]] = {
    "ObjectEvent": (
        {**_ACTION, "epcList": _EPCS, "quantityList": _QUANTITIES, "ilmd": _ILMD},
        ("action",),
        {
            "allOf": [
                {
                    "anyOf": [
                        {"required": ["epcList"]},
                        _filled("quantityList"),
                        {"allOf": [_filled("sensorElementList"), {"required": ["readPoint"]}]},
                    ]
                },
                {
                    "anyOf": [
                        {"properties": {"action": {"const": "ADD"}}},
                        {"properties": {"ilmd": False}},
                    ]
                },
            ]
        },
    ),
    "AggregationEvent": (
        _PARENT,
        ("action",),
        _either("childEPCs", "childQuantityList"),
    ),
    "AssociationEvent": (
        _PARENT,
        ("action", "parentID"),
        _either("childEPCs", "childQuantityList"),
    ),
    "TransactionEvent": (
        {
            **_ACTION,
            "parentID": _URI,
            "epcList": _list(_URI),
            "quantityList": _QUANTITIES,
            "bizTransactionList": {**_WHY["bizTransactionList"], "minItems": 1},  # type: ignore[dict-item]  # a schema, as above
        },
        ("action", "bizTransactionList"),
        {
            "anyOf": [
                {"required": ["epcList"]},
                _filled("quantityList"),
                {"properties": {"action": {"const": "DELETE"}}},
            ]
        },
    ),
    "TransformationEvent": (
        {
            "inputEPCList": _EPCS,
            "outputEPCList": _EPCS,
            "inputQuantityList": _QUANTITIES,
            "outputQuantityList": _QUANTITIES,
            "transformationID": _URI,
            "ilmd": _ILMD,
        },
        (),
        {
            "anyOf": [
                {
                    "allOf": [
                        _either("inputEPCList", "inputQuantityList", or_deleted=False),
                        _either("outputEPCList", "outputQuantityList", or_deleted=False),
                    ]
                },
                {
                    "allOf": [
                        {"required": ["transformationID"]},
                        _either(
                            "inputEPCList",
                            "inputQuantityList",
                            "outputEPCList",
                            "outputQuantityList",
                            or_deleted=False,
                        ),
                    ]
                },
            ]
        },
    ),
}
