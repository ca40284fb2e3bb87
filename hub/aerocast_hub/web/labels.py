"""The fixed words of passengers' pages, in every language the advice speaks."""

from typing import Literal

import msgspec

from aerocast_hub.orientation.wording import LANGUAGES, catalogue


class Labels(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Headings, captions and buttons of one language, named by itself in ``language``.

    Attributes
    ----------
    direction
        Which way it is written.
    """

    language: str
    direction: Literal["ltr", "rtl"]
    choose_language: str
    skip: str
    title: str
    flight: str
    belt: str
    belt_unknown: str
    gate: str
    first_bags: str
    last_bags: str
    boarding_closes: str
    what_to_do: str
    way: str
    gets_about: str
    profiles: dict[str, str]
    why: str
    not_known: str
    your_bags: str
    updated: str
    offline: str
    look_again: str
    board_title: str
    board_from: str
    board_to: str
    board_leaves: str
    board_state: str
    board_empty: str
    board_ramp_closed: str
    board_states: dict[str, str]
    gate_states: dict[str, str]
    find_title: str
    find_intro: str
    plate: str
    plate_hint: str
    surname: str
    find: str
    not_found: str
    wait: str
    expired_title: str
    expired: str
    states: dict[str, str]


LABELS = {each: msgspec.convert(catalogue(each).page, Labels) for each in LANGUAGES}
