"""Who signs the gateways' certificates: kept in files, followed by a successor in good time.

``issuing.pem`` signs; ``next.pem`` is trusted already and will sign (`finish_rotation`);
``former-<serial>.pem`` signed once, is trusted until it ends, and still revokes. Each holds a key
and its certificate, mode 0600. With the setting ``authority`` there are no files: it signs.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from aerocast_hub.enrolment.certificates import (
    Authority,
    CertificateError,
    key_to_pem,
    make_authority,
    read_authority,
    to_pem,
)
from aerocast_hub.settings import Settings, SettingsError
from aerocast_hub.whole_file import write_whole

FOLDER = "authority"
ISSUING, NEXT = "issuing.pem", "next.pem"


class Authorities(NamedTuple):
    """All that may be met: one signs, all are trusted, each revokes what it signed.

    Attributes
    ----------
    trusted_besides
        Certificates whose keys are not ours.
    """

    issuing: Authority
    others: tuple[Authority, ...] = ()
    trusted_besides: tuple[x509.Certificate, ...] = ()
    has_next: bool = False

    def bundle(self) -> str:
        """Give whom brokers and gateways should trust, as PEM, the one that signs first."""
        return "".join(to_pem(each) for each in self._trusted())

    def _trusted(self) -> Iterator[x509.Certificate]:
        yield self.issuing.certificate
        yield from (each.certificate for each in self.others)
        yield from self.trusted_besides

    def every(self) -> tuple[Authority, ...]:
        """Give those whose keys we have."""
        return (self.issuing, *self.others)


def load_authorities(settings: Settings) -> Authorities:
    """Read who signs; the first time, make them.

    Raises
    ------
    SettingsError
        A file or the setting cannot be used.
    """
    if settings.authority is not None:
        try:
            issuing, more = read_authority(settings.authority.get_secret_value().encode())
        except CertificateError as error:
            raise SettingsError(f"authority: {error}") from error
        return Authorities(issuing, (), tuple(more))
    folder = settings.data_dir / FOLDER
    issuing_file = folder / ISSUING
    if not issuing_file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(issuing_file, _new())
    now = datetime.now(UTC)
    others = [
        each
        for file in [folder / NEXT, *sorted(folder.glob("former-*.pem"))]
        if file.exists() and (each := _read(file)).certificate.not_valid_after_utc > now
    ]
    return Authorities(_read(issuing_file), tuple(others), has_next=(folder / NEXT).exists())


def begin_rotation(settings: Settings) -> Authorities:
    """Make the authority that will sign next; from now on it is among the trusted.

    Raises
    ------
    SettingsError
        There is one already, or the authority is given by a setting.
    """
    folder = _own_folder(settings)
    if (folder / NEXT).exists():
        raise SettingsError(
            f"{folder / NEXT} waits already: 'aerocast-hub ca rotate --finish' has it sign"
        )
    load_authorities(settings)
    _write(folder / NEXT, _new())
    return load_authorities(settings)


def finish_rotation(settings: Settings) -> Authorities:
    """Have the next authority sign from now on.

    Raises
    ------
    SettingsError
        None was made ready.
    """
    folder = _own_folder(settings)
    if not (folder / NEXT).exists():
        raise SettingsError("no authority is made ready: 'aerocast-hub ca rotate' first")
    signed_until_now = _read(folder / ISSUING)
    _write(folder / f"former-{signed_until_now.certificate.serial_number:x}.pem", signed_until_now)
    (folder / NEXT).replace(folder / ISSUING)
    return load_authorities(settings)


def _own_folder(settings: Settings) -> Path:
    if settings.authority is not None:
        raise SettingsError("the authority is given by a setting: rotate it where that comes from")
    return settings.data_dir / FOLDER


def _new() -> Authority:
    return make_authority(datetime.now(UTC).replace(microsecond=0), x509.random_serial_number())


def _write(file: Path, authority: Authority) -> None:
    pem = key_to_pem(authority.key) + to_pem(authority.certificate)
    write_whole(file, pem.encode(), is_new=True)


def _read(file: Path) -> Authority:
    try:
        return read_authority(file.read_bytes())[0]
    except (OSError, CertificateError) as error:
        raise SettingsError(f"{file}: {error}") from error
