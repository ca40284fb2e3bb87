"""Driver for Bluetooth beacons and sensors, by BlueZ: it listens, and connects to none."""

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.beacons import BeaconReports
from aerocast_agent.driver import Accept, Fact, ProbeReport

if TYPE_CHECKING:
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

_BASE_UUID = (
    "-0000-1000-8000-00805f9b34fb"  # 16-bit services written out, Core 5.4 Vol 3 Part B §2.5
)
PROBE_FOR_S = 5.0


class BeaconScanner:
    """Hears beacons and sensors.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    adapter
        Which radio, ``hci0`` for one; None: the first there is.
    report_every_s
        A beacon is reported at most so often.
    restart_after_s
        BlueZ's scans stall without a word: when something was heard before and nothing for so
        long, the scan is started again.
    """

    def __init__(
        self,
        name: str,
        adapter: str | None = None,
        report_every_s: float = 10.0,
        restart_after_s: float = 60.0,
    ) -> None:
        self.name = name
        self._adapter = adapter
        self._reports = BeaconReports(name, report_every_s)
        self._restart_after_s = restart_after_s
        self._adverts = 0
        self._restarts = 0
        self._is_scanning = False

    async def run(self, accept: Accept) -> None:
        """Hear beacons until the radio or BlueZ is lost (``OSError``)."""
        radio = self._adapter or "the first radio there is"
        event: DeviceEvent | None = self._event("connected", radio)
        while True:
            heard_before = self._adverts
            await self._scan(accept, event)
            self._restarts += 1
            event = None
            if self._adverts > heard_before:  # an empty hall is silent all night: say it once
                silence = f"nothing heard for {self._restart_after_s:g} s"
                event = self._event("configuration", f"scan started again: {silence}")

    def _event(self, event: Literal["connected", "configuration"], detail: str) -> DeviceEvent:
        return DeviceEvent(device=self.name, boot_ns=clock.boot_ns(), event=event, detail=detail)

    async def _scan(self, accept: Accept, begun: DeviceEvent | None = None) -> None:
        """Scan until nothing was heard for too long, if anything ever was."""
        from bleak import BleakScanner  # noqa: PLC0415  an extra, and only where configured
        from bleak.exc import BleakError  # noqa: PLC0415  as above

        loop = asyncio.get_running_loop()
        heard_s = loop.time()

        def hear(device: "BLEDevice", advert: "AdvertisementData") -> None:
            nonlocal heard_s
            heard_s = loop.time()
            self._adverts += 1
            for observation in self._reports.hear(
                device.address.lower(),
                advert.rssi,
                advert.manufacturer_data,
                _short(advert.service_data),
                clock.boot_ns(),
            ):
                accept(observation)

        options: dict[str, Any] = {"bluez": {"adapter": self._adapter}} if self._adapter else {}
        self._is_scanning = True
        try:
            async with BleakScanner(hear, **options):
                if begun is not None:
                    accept(begun)
                while (silent_s := loop.time() - heard_s) < self._restart_after_s or not (
                    self._adverts
                ):
                    left_s = self._restart_after_s - silent_s
                    await asyncio.sleep(left_s if left_s > 0 else self._restart_after_s)
        except BleakError as error:
            raise ConnectionError(f"Bluetooth: {error}") from error
        finally:
            self._is_scanning = False

    async def probe(self) -> ProbeReport:
        """Tell how much is heard; the scan is started for a moment when it does not run.

        Raises
        ------
        OSError
            There is no radio, or BlueZ does not run.
        """
        if not self._is_scanning:
            scan = asyncio.create_task(self._scan(lambda _: None))
            done, _ = await asyncio.wait({scan}, timeout=PROBE_FOR_S)
            scan.cancel()
            await asyncio.wait({scan})
            if done:
                scan.result()
        says: dict[str, Fact] = {
            "radio": self._adapter or "the first there is",
            "advertisements": self._adverts,
            "broken_beacons": self._reports.broken,
            "scan_restarts": self._restarts,
        }
        return ProbeReport(says=says)


def _short(services: dict[str, bytes]) -> dict[int, bytes]:
    """Keep the services with 16-bit numbers, by number."""
    return {
        int(uuid[4:8], 16): content
        for uuid, content in services.items()
        if uuid.startswith("0000") and uuid.endswith(_BASE_UUID)
    }
