"""Driver for a receiver in the gateway's own USB port: extra ``rtlsdr``, or SoapySDR and ``sdr``.

Streaming was not tried on hardware: the way from samples to aircraft is tested with simulated
samples, and the real library only as far as it goes with no dongle plugged in.
"""

import asyncio
import threading

from aerocast_protocols.modes.demodulation import Engine
from aerocast_protocols.modes.iq import SampleFormat
from aerocast_protocols.modes.rtl_tcp import MODE_S_HZ

from aerocast_agent import clock
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept, ProbeReport, Settings
from aerocast_agent.receiver import connected
from aerocast_agent.rtlsdr_library import Dongle, OpenDongle, Which, open_dongle
from aerocast_agent.sample_link import PIECE_BYTES, SILENCE_LIMIT_S, Piece, SampleLink, Waiting

END_LIMIT_S = 2.0  # a dongle that still sends ends its reading within a piece


class UsbDongle:
    """Hears aircraft through one dongle.

    A thread of its own takes the samples off the USB; they are worked on as those of
    ``adsb_rtl_tcp`` are, and dropped aloud when the machine cannot keep up.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    aircraft
        Remembers the aircraft, also across connections.
    which
        Serial number of the dongle, or its place among those plugged in, from 0.
    rate
        Samples a second, 2,000,000 or 2,400,000.
    gain_db
        Of the tuner, which takes the nearest it has; None leaves it to the tuner itself.
    ppm
        How far its crystal is off, parts per million.
    engine
        What demodulates: ``numpy``, or ``numba`` where that is installed.
    opening
        Opens the dongle.
    samples
        How it writes its samples.
    silence_limit_s
        After so long without samples the dongle counts as lost.
    """

    def __init__(  # noqa: PLR0913 - a dongle is that many facts
        self,
        name: str,
        aircraft: AircraftTable,
        *,
        which: Which = 0,
        rate: int = 2_400_000,
        gain_db: float | None = 49.6,
        ppm: int = 0,
        engine: Engine = "numpy",
        opening: OpenDongle = open_dongle,
        samples: SampleFormat = "cu8",
        silence_limit_s: float = SILENCE_LIMIT_S,
    ) -> None:
        self.name = name
        self._link = SampleLink(name, aircraft, rate, engine, samples)
        self._which = which
        self._rate = rate
        self._gain_db = gain_db
        self._ppm = ppm
        self._opening = opening
        self._is_open = False
        self._silence_limit_s = silence_limit_s

    async def run(self, accept: Accept) -> None:
        """Hear aircraft until it is lost (``OSError``), also when it cannot be opened."""
        waiting = Waiting(self.name, accept)
        reading = _Reading(self.name, waiting, self._silence_limit_s)
        dongle = await asyncio.to_thread(self._open)
        self._is_open = True
        try:
            accept(connected(self.name, f"dongle {self._which} at {self._rate} samples a second"))
            reading.start(dongle)
            await self._link.listen(waiting, accept)
        finally:
            self._is_open = False
            await reading.end(dongle)

    async def read_back(self) -> Settings:
        """Give what the tuner makes of its settings: it takes the nearest gain it has.

        Raises
        ------
        OSError
            It cannot be opened.
        """
        return await asyncio.to_thread(self._settings)

    async def apply(self, settings: Settings) -> None:
        """Try settings on; a dongle keeps nothing, and is set up whenever it is opened."""
        gain_db, ppm, rate = (settings.get(key) for key in ("gain_db", "ppm", "rate"))
        if gain_db is not None:
            self._gain_db = None if gain_db == "auto" else float(str(gain_db))
        self._ppm = self._ppm if ppm is None else int(str(ppm))
        self._rate = self._rate if rate is None else int(str(rate))
        await self.read_back()

    async def probe(self) -> ProbeReport:
        """Tell how the tuner is set; one that is being listened to is not disturbed."""
        if self._is_open:
            said = self._said("auto" if self._gain_db is None else self._gain_db, self._rate)
        else:
            said = await asyncio.to_thread(self._settings)
        return ProbeReport(says={"receiver": str(self._which), **said})

    def _settings(self) -> dict[str, float | str]:
        dongle = self._open()
        try:
            gain = "auto" if self._gain_db is None else float(dongle.gain)
            return self._said(gain, round(float(dongle.sample_rate)))
        finally:
            dongle.close()

    def _said(self, gain_db: float | str, rate: int) -> dict[str, float | str]:
        return {"gain_db": gain_db, "ppm": self._ppm, "rate": rate}

    def _open(self) -> Dongle:
        dongle = self._opening(self._which)
        try:
            if self._ppm:  # librtlsdr refuses to be told what it has already
                dongle.freq_correction = self._ppm
            dongle.sample_rate = self._rate
            dongle.center_freq = MODE_S_HZ
            dongle.gain = "auto" if self._gain_db is None else self._gain_db
            dongle.set_agc_mode(False)
        except BaseException:
            dongle.close()
            raise
        return dongle


class _Reading:
    """A thread that does nothing but take samples off the USB."""

    def __init__(self, name: str, waiting: Waiting, silence_limit_s: float) -> None:
        self._name = name
        self._waiting = waiting
        self._silence_limit_s = silence_limit_s
        self._loop = asyncio.get_running_loop()
        self._ending = threading.Event()
        self._ended = asyncio.Event()
        self._thread: threading.Thread | None = None
        self._silence: asyncio.TimerHandle | None = None

    def start(self, dongle: Dongle) -> None:
        """Begin to read."""
        self._listen_for_silence()
        self._thread = threading.Thread(
            target=self._read, args=(dongle,), name=f"usb {self._name}", daemon=True
        )
        self._thread.start()

    async def end(self, dongle: Dongle) -> None:
        """Stop reading and close the dongle.

        One that does not let go within ``END_LIMIT_S`` stays open: closing it under a thread that
        reads from it would crash the daemon.
        """
        if self._silence is not None:
            self._silence.cancel()
        self._ending.set()  # the next piece ends the reading
        if self._thread is None or await self._has_ended():
            dongle.close()
            return
        dongle.cancel_read_async()
        if await self._has_ended():
            dongle.close()

    async def _has_ended(self) -> bool:
        try:
            async with asyncio.timeout(END_LIMIT_S):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    def _read(self, dongle: Dongle) -> None:
        """Read until the end (in the thread)."""

        def take(content: object, _: object) -> None:
            if self._ending.is_set():
                dongle.cancel_read_async()
                return
            # ctypes or numpy, neither of them typed as what it is: a buffer
            piece = Piece(bytes(content), clock.boot_ns())  # type: ignore[call-overload]
            self._loop.call_soon_threadsafe(self._put, piece)

        error: Exception
        try:
            dongle.read_bytes_async(take, PIECE_BYTES)
            # librtlsdr ends without an error when the dongle is pulled out.
            error = ConnectionResetError(f"{self._name} is gone: no more samples from its dongle")
        except OSError as caught:
            error = ConnectionResetError(f"{self._name} is gone: {caught}")
        except Exception as caught:  # noqa: BLE001 - a thread has nobody else to tell
            error = caught
        self._loop.call_soon_threadsafe(self._over, error)

    def _put(self, piece: Piece) -> None:
        self._listen_for_silence()
        self._waiting.put(piece)

    def _over(self, error: Exception) -> None:
        self._waiting.fail(error)
        self._ended.set()

    def _listen_for_silence(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        error = TimeoutError(f"{self._name} sent nothing for {self._silence_limit_s:.0f} s")
        self._silence = self._loop.call_later(self._silence_limit_s, self._waiting.fail, error)
