"""Aircraft tables: one for all receivers, one of its own for each recording."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from aerocast_protocols.errors import ProtocolError

from aerocast_agent import clock, config
from aerocast_agent.config_file import ConfigError

if TYPE_CHECKING:
    from aerocast_agent.aircraft import AircraftTable
    from aerocast_agent.aircraft_database import AircraftDatabase
    from aerocast_agent.ground_memory import GroundMemory
    from aerocast_agent.stands import Stands


class Sky:
    """Makes aircraft tables: one for all receivers, one of its own for each recording."""

    def __init__(self, settings: config.Config) -> None:
        self._settings = settings
        self._live: AircraftTable | None = None
        self._database: AircraftDatabase | None = None

    def live(self) -> "AircraftTable":
        """Give the table of all receivers."""
        if self._live is None:
            self._live = self.table()
        return self._live

    def memory(self) -> "GroundMemory | None":
        """Give what keeps the live table over restarts; None without receivers."""
        if self._live is None:
            return None
        from aerocast_agent.ground_memory import GroundMemory  # noqa: PLC0415  only if configured

        file = Path(self._settings.spool.path).with_name("aircraft.msgpack")
        return GroundMemory(file, self._live, clock.boot_id())

    def table(self) -> "AircraftTable":
        """Make a table.

        Raises
        ------
        ConfigError
            The file of stands or of airframes cannot be used.
        """
        from aerocast_agent.aircraft import AircraftTable  # noqa: PLC0415  only if configured

        position = self._settings.gateway.position
        reference = None if position is None else (position.latitude_deg, position.longitude_deg)
        return AircraftTable(
            reference,
            self._stands(),
            self._settings.aircraft.on_stand_after_s,
            year=float(time.gmtime().tm_year),
            database=self._airframes(),
        )

    def _stands(self) -> "Stands":
        from aerocast_agent.stands import Stands  # noqa: PLC0415  only if configured

        file = self._settings.aircraft.stands
        try:
            return Stands() if file is None else Stands.from_geojson(Path(file).read_bytes())
        except (OSError, ProtocolError, ValueError) as error:
            raise ConfigError([f"aircraft.stands: {file}: {error}"]) from error

    def _airframes(self) -> "AircraftDatabase | None":
        """Read the file once: it is large."""
        from aerocast_agent.aircraft_database import AircraftDatabase  # noqa: PLC0415  if configured

        file = self._settings.aircraft.database
        if file is None or self._database is not None:
            return self._database
        try:
            self._database = AircraftDatabase.from_csv(Path(file))
        except (OSError, ValueError) as error:
            raise ConfigError([f"aircraft.database: {file}: {error}"]) from error
        return self._database
