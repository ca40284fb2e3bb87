"""What radio law allows a UHF RFID reader: radiated power and channels of a region. Pure.

Sources: ETSI EN 302 208 with ERC/REC 70-03 annex 11 (its conditions are those of Decisions (EU)
2017/1483 and 2018/1538); 47 CFR 15.247 (a)(1)(i), (b)(2) and (b)(4). The operator answers for the
station; this keeps a slip in a file from going on air.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

HALF_WAVE_DIPOLE_DBI = 2.15
"""ERP counts from a dipole, EIRP from an isotropic antenna."""


class Law(NamedTuple):
    """What one region allows.

    Attributes
    ----------
    name
        As engineers quote it.
    eirp_dbm
        Strongest radiation, from an isotropic antenna.
    quoted_dbm, quoted_as
        The same as the law words it.
    conducted_dbm
        Strongest power at the antenna connector, whatever the antenna; None: not limited.
    centres_khz
        The only channels there are at that power; empty: any in the band that fits.
    band_khz
        First and last frequency.
    fewest_channels
        How many a hopping reader must use.
    """

    name: str
    eirp_dbm: float
    quoted_dbm: float
    quoted_as: str
    conducted_dbm: float | None
    centres_khz: tuple[int, ...]
    band_khz: tuple[int, int]
    fewest_channels: int = 1


LAWS: Mapping[str, Law] = {
    "etsi": Law(
        "ETSI EN 302 208 (865-868 MHz)",
        33 + HALF_WAVE_DIPOLE_DBI,
        33,
        "dBm ERP (2 W)",
        None,
        (865_700, 866_300, 866_900, 867_500),
        (865_000, 868_000),
    ),
    "etsi_upper": Law(
        "ETSI EN 302 208 (915-921 MHz)",
        36 + HALF_WAVE_DIPOLE_DBI,
        36,
        "dBm ERP (4 W)",
        None,
        (916_300, 917_500, 918_700),
        (915_000, 921_000),
    ),
    "fcc": Law(
        "FCC 15.247 (902-928 MHz)",
        36,
        36,
        "dBm EIRP (4 W)",
        30,
        (),
        (902_000, 928_000),
        fewest_channels=50,
    ),
}


def breaches(
    region: str,
    power_dbm: float | None,
    antenna_gain_dbi: float | None,
    cable_loss_db: float,
    channels_khz: tuple[int, ...],
) -> Iterator[str]:
    """Name what a region's law forbids of these settings, and what would be allowed.

    Parameters
    ----------
    power_dbm
        At the reader's antenna connector.
    antenna_gain_dbi
        Linear; None: unknown.
    cable_loss_db
        Between the two.
    channels_khz
        Centres; empty: the reader's own plan.
    """
    law = LAWS.get(region)
    if law is None:
        return
    if power_dbm is not None:
        yield from _power(law, power_dbm, antenna_gain_dbi, cable_loss_db)
    yield from _channels(law, channels_khz)


def strongest_dbm(region: str, antenna_gain_dbi: float, cable_loss_db: float) -> float | None:
    """Give the strongest power at the connector a law allows; None where no law is known here."""
    law = LAWS.get(region)
    if law is None:
        return None
    by_radiation = law.eirp_dbm - antenna_gain_dbi + cable_loss_db
    if law.conducted_dbm is None:
        return by_radiation
    return min(by_radiation, law.conducted_dbm + cable_loss_db)


def _power(
    law: Law, power_dbm: float, antenna_gain_dbi: float | None, cable_loss_db: float
) -> Iterator[str]:
    if antenna_gain_dbi is None:
        yield (
            f"power_dbm needs antenna_gain_dbi: {law.name} limits radiated power to "
            f"{law.quoted_dbm:g} {law.quoted_as}"
        )
        return
    eirp_dbm = power_dbm - cable_loss_db + antenna_gain_dbi
    over_db = eirp_dbm - law.eirp_dbm
    if over_db > 1e-9:
        radiated_dbm = law.quoted_dbm + over_db
        yield (
            f"power_dbm {power_dbm:g} with {cable_loss_db:g} dB of cable and a "
            f"{antenna_gain_dbi:g} dBi antenna radiates {radiated_dbm:.2f} dBm; {law.name} allows "
            f"{law.quoted_dbm:g} {law.quoted_as}: power_dbm may be {power_dbm - over_db:.2f}"
        )
    elif law.conducted_dbm is not None and power_dbm - cable_loss_db > law.conducted_dbm:
        yield (
            f"power_dbm {power_dbm:g} less {cable_loss_db:g} dB of cable; {law.name} allows "
            f"{law.conducted_dbm:g} dBm at the antenna: power_dbm may be "
            f"{law.conducted_dbm + cable_loss_db:g}"
        )


def _channels(law: Law, channels_khz: tuple[int, ...]) -> Iterator[str]:
    first, last = law.band_khz
    for channel in channels_khz:
        if law.centres_khz and channel not in law.centres_khz:
            allowed = ", ".join(str(each) for each in law.centres_khz)
            yield f"channels_khz {channel}: {law.name} has these at full power: {allowed}"
        elif not first < channel < last:
            yield f"channels_khz {channel} is outside {law.name}"
    used = len(set(channels_khz))
    if channels_khz and used < law.fewest_channels:
        yield (
            f"channels_khz names {used} channels; {law.name} wants hopping over at least "
            f"{law.fewest_channels}: leave it out for the reader's own plan"
        )
