"""When to tell the hub what time it is: when the clock becomes better, and when it is set. Pure."""

from aerocast_protocols.observations.gateways import ClockAnchor, DeviceEvent

from aerocast_agent.clock import GPS, NETWORK, SAVED, Claim

# Less than this is the two clocks being read one after the other, or NTP slewing.
STEP_NS = 500_000_000


class Anchors:
    """Remembers the last look at the clocks."""

    def __init__(self, boot_id: bytes) -> None:
        self._boot_id = boot_id
        self._quality = SAVED
        self._offset_ns: int | None = None

    def look(self, claim: Claim) -> list[ClockAnchor | DeviceEvent]:
        """Give what the hub should know of a claim on the time, compared with the one before."""
        told: list[ClockAnchor | DeviceEvent] = []
        offset_ns = claim.wall_ns - claim.boot_ns
        moved_ns = 0 if self._offset_ns is None else offset_ns - self._offset_ns
        stepped = abs(moved_ns) > STEP_NS
        if stepped:
            told.append(
                DeviceEvent(
                    device="agent",
                    boot_ns=claim.boot_ns,
                    event="clock_step",
                    detail=f"the wall clock moved by {moved_ns / 1e9:+.3f} s",
                )
            )
        if claim.quality >= NETWORK and (stepped or claim.quality > self._quality):
            told.append(self._anchor(claim))
        self._quality, self._offset_ns = claim.quality, offset_ns
        return told

    def _anchor(self, claim: Claim) -> ClockAnchor:
        return ClockAnchor(
            device="agent",
            boot_ns=claim.boot_ns,
            boot_id=self._boot_id,
            wall_ns=claim.wall_ns,
            source="gps" if claim.quality == GPS else "ntp",
            quality=claim.quality,
            error_ns=claim.error_ns,
        )
