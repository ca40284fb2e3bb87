"""Where a login may lead."""


def local_place(place: str) -> str:
    """Keep a place on this site; an address of another one becomes ``/``."""
    is_local = place.startswith("/") and not place.startswith(("//", "/\\"))
    return place if is_local and place.isascii() and place.isprintable() else "/"
