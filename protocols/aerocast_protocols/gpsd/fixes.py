"""From gpsd's reports to fixes: one a moment, as complete as its receiver lets it be."""

from datetime import UTC, datetime, timedelta

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.gnss import Basis, Fix
from aerocast_protocols.gpsd.reports import Report, Sky, Tpv

MOST_RECEIVERS = 16

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BASES: dict[int, Basis] = {5: "dead_reckoning", 6: "dead_reckoning", 8: "simulated"}


class FixAssembler:
    """Joins TPV with the satellites SKY told of last.

    gpsd may report a moment several times while its receiver's sentences come in, first flat, then
    with altitude. A moment is given once: when it is as complete as the one before, else when the
    next begins.
    """

    def __init__(self) -> None:
        self._receivers: dict[str, _Receiver] = {}

    def add(self, report: Report | None) -> list[Fix]:
        """Take the next report; give the fixes it completes.

        Raises
        ------
        ProtocolError
            A time is impossible, or gpsd names more receivers than it can have.
        """
        if not isinstance(report, Tpv | Sky):
            return []
        receiver = self._receivers.get(report.device)
        if receiver is None:
            if len(self._receivers) >= MOST_RECEIVERS:
                raise ProtocolError(f"gpsd names more than {MOST_RECEIVERS} receivers")
            receiver = self._receivers[report.device] = _Receiver()
        if isinstance(report, Sky):
            receiver.sky = report if report.used is not None else receiver.sky
            return []
        return receiver.add(report)

    def flush(self) -> list[Fix]:
        """Give what has come of the last moment; at the end of a recording."""
        return [fix for each in self._receivers.values() for fix in each.flush()]


class _Receiver:
    """What is known of one receiver."""

    def __init__(self) -> None:
        self.sky = Sky()
        self._waiting: Tpv | None = None
        self._given: str | None = None
        self._mode = 0

    def add(self, tpv: Tpv) -> list[Fix]:
        if tpv.time is None:
            return [] if tpv.mode > 1 else [self._fix(tpv)]
        if tpv.time == self._given:
            self._mode = max(self._mode, tpv.mode)
            return []
        fixes = []
        if self._waiting is not None and self._waiting.time != tpv.time:
            fixes += self.flush()
        if tpv.mode >= self._mode:
            self._mode, self._given, self._waiting = tpv.mode, tpv.time, None
            fixes.append(self._fix(tpv))
        else:
            self._waiting = tpv
        return fixes

    def flush(self) -> list[Fix]:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return []
        self._mode, self._given = waiting.mode, waiting.time
        return [self._fix(waiting)]

    def _fix(self, tpv: Tpv) -> Fix:
        mode = max(1, tpv.mode)
        if tpv.lat is None or tpv.lon is None:
            mode = 1
        altitude_m = tpv.alt if tpv.altMSL is None else tpv.altMSL
        if mode == 3 and altitude_m is None:
            mode = 2
        fix = Fix(
            "gpsd",
            mode,
            None if tpv.time is None else _time_us(tpv.time),
            None if tpv.ept is None else round(tpv.ept * 1e9),
            satellites=self.sky.used,
            hdop=self.sky.hdop,
            basis=_BASES.get(tpv.status or 0, "satellites"),
            valid=tpv.mode > 1,
        )
        if mode == 1:
            return fix
        return fix._replace(
            latitude_deg=tpv.lat,
            longitude_deg=tpv.lon,
            altitude_m=altitude_m if mode == 3 else None,
            speed_mps=tpv.speed,
            track_deg=None if tpv.track is None else tpv.track % 360,
        )


def _time_us(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProtocolError(f"gpsd time {text[:40]!r} is impossible") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)
