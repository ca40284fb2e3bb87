"""One piece of advice for a passenger: from bags, flights and weather to what to do, and why.

Pure: no database, no clock, no language. Sentences are keys of the catalogues in ``wording/`` with
their values; values whose name ends in ``_us`` are instants, shown as local time.

``trip`` says where the passenger stands in their journey, ``bags`` what has become of each bag,
``guide`` what situation that is; each situation's file says what to do in it, and ``reasons`` why,
and what nobody knows.
"""

from aerocast_hub.orientation.guidance.advice import Advice, BagAdvice, Phase, Trouble, masked
from aerocast_hub.orientation.guidance.guide import guide
from aerocast_hub.orientation.guidance.trip import Trip, Whereabouts, trip_of, whereabouts
from aerocast_hub.orientation.guidance.views import (
    NOT_TOLD,
    ON_BELT,
    BagView,
    FlightView,
    Surrounding,
    WayView,
    WeatherView,
    has_no_news,
)

__all__ = [
    "NOT_TOLD",
    "ON_BELT",
    "Advice",
    "BagAdvice",
    "BagView",
    "FlightView",
    "Phase",
    "Surrounding",
    "Trip",
    "Trouble",
    "WayView",
    "WeatherView",
    "Whereabouts",
    "guide",
    "has_no_news",
    "masked",
    "trip_of",
    "whereabouts",
]
