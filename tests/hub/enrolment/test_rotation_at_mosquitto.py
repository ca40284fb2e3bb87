"""While one authority follows another, Mosquitto trusts both and hears of what either revokes."""

from datetime import UTC, datetime, timedelta

import pytest
from aerocast_agent.mqtt_link import Broker
from aerocast_hub.enrolment.certificates import (
    Term,
    certify_gateway,
    certify_service,
    key_to_pem,
    make_authority,
    revocation_list,
    to_pem,
)
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.end_to_end.conftest import until
from tests.end_to_end.enrolled import reaches
from tests.mosquitto import mosquitto

NOW = datetime.now(UTC).replace(microsecond=0)
TERM = Term(NOW - timedelta(hours=1), NOW + timedelta(days=9))


@pytest.fixture
def authorities(tmp_path):
    made = [make_authority(NOW, x509.random_serial_number()) for _ in range(2)]
    (tmp_path / "authority.pem").write_text("".join(to_pem(each.certificate) for each in made))
    return made


def certify(folder, authority, name, hosts=()):
    """Write a key and a certificate; give its serial number."""
    key, serial = ec.generate_private_key(ec.SECP256R1()), x509.random_serial_number()
    if hosts:
        told = certify_service(authority, key.public_key(), name, hosts, serial, TERM)
    else:
        told = certify_gateway(authority, key.public_key(), f"lfbo/{name}", serial, TERM)
    (folder / f"{name}.pem").write_text(to_pem(told))
    (folder / f"{name}.key").write_text(key_to_pem(key))
    return serial


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho's sockets
async def test_both_authorities_are_trusted_and_both_revoke(tmp_path, authorities):
    certify(tmp_path, authorities[0], "broker", ["127.0.0.1"])
    names = [(f"{of}-{number}", of) for of in (0, 1) for number in (1, 2)]
    serials = {name: certify(tmp_path, authorities[of], name) for name, of in names}

    def revoke(number, *revoked):
        lists = [
            revocation_list(
                authority,
                [(serials[name], NOW) for name, of in names if of == index and name in revoked],
                NOW,
                number,
            )
            for index, authority in enumerate(authorities)
        ]
        (tmp_path / "crl.pem").write_text("".join(map(to_pem, lists)))

    revoke(1)
    (tmp_path / "acl").write_text("pattern read aerocast/1/%u/down/#\n")
    files = {"cafile": "authority.pem", "certfile": "broker.pem", "keyfile": "broker.key"}
    lines = [f"{name} {tmp_path / file}" for name, file in (files | {"crlfile": "crl.pem"}).items()]
    lines += ["require_certificate true", "use_identity_as_username true", ""]
    general = f"allow_anonymous false\nacl_file {tmp_path / 'acl'}\n"
    with mosquitto(tmp_path, "\n".join(lines), general) as broker:

        async def become(name):
            own = (str(tmp_path / file) for file in (f"{name}.pem", f"{name}.key", "authority.pem"))
            way = Broker(f"mqtts://127.0.0.1:{broker.port}", 3, *own)
            return await reaches(way, name, f"aerocast/1/lfbo/{name}/down/ack", within_s=0.1)

        async def everybody():
            return [await become(name) for name, _ in names]

        assert await everybody() == ["nothing"] * 4
        revoke(2, "0-1", "1-1")
        broker.reload()
        expected = ["refused", "nothing", "refused", "nothing"]
        assert await until(everybody, lambda told: told == expected) == expected
