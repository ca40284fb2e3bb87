"""Making the database itself refuse to change or remove a line of the trail.

Lines up to the newest anchor may go: retention takes them from the beginning. Whoever may drop
triggers can still forge; the seals (`chain`) show it.
"""

from sqlalchemy import Connection, inspect, text

TRIGGERS = ("audit_no_update", "audit_no_delete", "audit_anchors_no_update", "audit_anchors_kept")
_REFUSAL = "SELECT RAISE(ABORT, 'the trail is only added to')"
_KEPT = "OLD.number > (SELECT coalesce(max(number), 0) FROM audit_anchors)"
_SQLITE = tuple(
    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {what} BEGIN {_REFUSAL}; END"
    for name, what in (
        ("audit_no_update", "UPDATE ON audit"),
        ("audit_no_delete", f"DELETE ON audit WHEN {_KEPT}"),
        ("audit_anchors_no_update", "UPDATE ON audit_anchors"),
        ("audit_anchors_kept", "DELETE ON audit_anchors"),
    )
)
_RAISE = "RAISE EXCEPTION 'the trail is only added to'"
_POSTGRESQL = tuple(
    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"
    for name, body in (
        ("audit_refuse", f"BEGIN {_RAISE}; END"),
        ("audit_refuse_kept", f"BEGIN IF {_KEPT} THEN {_RAISE}; END IF; RETURN OLD; END"),
    )
) + tuple(
    f"CREATE OR REPLACE TRIGGER {name} BEFORE {when} EXECUTE FUNCTION {function}()"
    for name, when, function in (
        ("audit_no_update", "UPDATE OR TRUNCATE ON audit", "audit_refuse"),
        ("audit_no_delete", "DELETE ON audit FOR EACH ROW", "audit_refuse_kept"),
        ("audit_anchors_no_update", "UPDATE ON audit_anchors", "audit_refuse"),
        ("audit_anchors_kept", "DELETE OR TRUNCATE ON audit_anchors", "audit_refuse"),
    )
)


def make_append_only(connection: Connection) -> None:
    """Put the triggers in place; those that are there stay."""
    if not inspect(connection).has_table("audit"):
        return  # a database from before there was a trail, on its way up
    statements = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
    for each in statements:
        connection.execute(text(each))


def missing_triggers(connection: Connection) -> list[str]:
    """Name the triggers that are not in place."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')"
    )
    present = set(connection.scalars(text(query)))
    return [each for each in TRIGGERS if each not in present]
