"""Tokens are good once; certificates follow each other, and end with their gateway."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from aerocast_hub.enrolment.authorities import (
    begin_rotation,
    finish_rotation,
    load_authorities,
)
from aerocast_hub.enrolment.certificates import CertificateError, Request, common_name
from aerocast_hub.enrolment.revocation import revocation_lists, write_for_brokers
from aerocast_hub.enrolment.store import (
    certificates_of,
    claimant,
    is_good,
    make_claim,
    redeem,
    renew,
    why_not,
)
from aerocast_hub.gateways.registry import GatewayRefusedError, add_gateway, revoke_gateway
from aerocast_hub.settings import SettingsError, load_settings
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

NAME = ("lfbo", "hall-1")
NOW_US = time.time_ns() // 1000
DAY_US = 24 * 3_600_000_000
DAYS = 90


@pytest.fixture
def settings(tmp_path):
    return load_settings(mode="dev", data_dir=tmp_path / "data", broker_url="none:")


@pytest.fixture
def authorities(settings):
    return load_authorities(settings)


@pytest.fixture
async def gateway(database):
    async with database.writing() as session:
        await add_gateway(session, *NAME)


def new_key():
    return ec.generate_private_key(ec.SECP256R1()).public_key()


def asks(key):
    return Request(key, None)


async def claimed(database, authorities, now_us=NOW_US, hours=24.0):
    async with database.writing() as session:
        return (await make_claim(session, authorities, NAME, now_us, hours)).token


async def redeemed(database, authorities, token, key, now_us=NOW_US):
    async with database.writing() as session:
        return await redeem(session, authorities, token, asks(key), now_us, DAYS)


async def renewed(database, authorities, present, wished, now_us=NOW_US):
    async with database.writing() as session:
        return await renew(session, authorities, present, wished, now_us, DAYS)


def serial_of(issued):
    return f"{x509.load_pem_x509_certificate(issued.certificate.encode()).serial_number:x}"


async def test_of_many_who_use_a_token_at_once_one_gets_a_certificate(
    database, authorities, gateway
):
    token = await claimed(database, authorities)
    keys = [new_key() for _ in range(10)]
    got = await asyncio.gather(*(redeemed(database, authorities, token, key) for key in keys))
    (winner,) = [index for index, each in enumerate(got) if each is not None]
    # Its answer may have been lost: the same key is given the same, another key nothing.
    assert await redeemed(database, authorities, token, keys[winner]) == got[winner]
    assert await redeemed(database, authorities, token, new_key()) is None
    async with database.reading() as session:
        assert [each.serial for each in await certificates_of(session, *NAME)] == [
            serial_of(got[winner])
        ]


async def test_a_token_ends_with_its_time_its_successor_and_its_gateway(
    database, authorities, gateway
):
    first = await claimed(database, authorities, hours=1)
    async with database.reading() as session:
        assert await claimant(session, first, NOW_US) == NAME
        assert await claimant(session, first.upper(), NOW_US) == NAME
        assert await claimant(session, first, NOW_US + 3_600_000_000) is None
        assert await claimant(session, "guessed", NOW_US) is None
    assert await redeemed(database, authorities, first, new_key(), NOW_US + DAY_US) is None
    second = await claimed(database, authorities)
    assert await redeemed(database, authorities, first, new_key()) is None
    async with database.writing() as session:
        await revoke_gateway(session, *NAME)
    assert await redeemed(database, authorities, second, new_key()) is None
    with pytest.raises(GatewayRefusedError, match="not registered"):
        await claimed(database, authorities)


async def test_a_certificate_names_its_gateway_and_lasts_as_long_as_set(
    database, authorities, gateway
):
    token = await claimed(database, authorities)
    issued = await redeemed(database, authorities, token, key := new_key())
    told = x509.load_pem_x509_certificate(issued.certificate.encode())
    told.verify_directly_issued_by(authorities.issuing.certificate)
    assert told.public_key() == key
    assert told.subject.rfc4514_string() == "CN=lfbo/hall-1"
    assert (told.not_valid_after_utc - datetime.fromtimestamp(NOW_US // 1e6, UTC)).days == DAYS
    usage = told.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [each._name for each in usage] == ["clientAuth"]


async def test_a_key_renews_itself_never_and_its_successor_once(database, authorities, gateway):
    token = await claimed(database, authorities)
    first, second = new_key(), new_key()
    issued = await redeemed(database, authorities, token, first)
    assert await renewed(database, authorities, first, first) == issued
    following = await renewed(database, authorities, first, second)
    assert following.certificate != issued.certificate
    assert await renewed(database, authorities, first, second) == following
    assert await renewed(database, authorities, new_key(), new_key()) is None
    async with database.reading() as session:
        assert len(await certificates_of(session, *NAME)) == 2
        assert await is_good(session, NAME, NOW_US)
        assert not await is_good(session, NAME, NOW_US + (DAYS + 1) * DAY_US)
        assert await why_not(session, first, NOW_US + (DAYS + 1) * DAY_US) == "ended"
        assert await why_not(session, new_key(), NOW_US) == "unknown"
    assert await renewed(database, authorities, first, new_key(), NOW_US + 91 * DAY_US) is None


async def test_revoking_a_gateway_ends_all_its_certificates_for_ever(
    database, authorities, gateway, settings
):
    token = await claimed(database, authorities)
    key = new_key()
    issued = await redeemed(database, authorities, token, key)
    following = await renewed(database, authorities, key, new_key())
    assert await listed(database, authorities) == set()
    async with database.writing() as session:
        await revoke_gateway(session, *NAME)
    both = {serial_of(issued), serial_of(following)}
    assert await listed(database, authorities) == both
    assert await renewed(database, authorities, key, new_key()) is None
    async with database.writing() as session:
        await add_gateway(session, *NAME)
    async with database.reading() as session:
        assert not await is_good(session, NAME, NOW_US)
        assert await why_not(session, key, NOW_US) == "revoked"
    assert await listed(database, authorities) == both
    assert await renewed(database, authorities, key, new_key()) is None
    token = await claimed(database, authorities)
    assert await redeemed(database, authorities, token, new_key()) is not None


async def listed(database, authorities):
    """Give the serial numbers on the revocation lists; each must be signed by its authority."""
    pem = await revocation_lists(database, authorities)
    end = "-----END X509 CRL-----\n"
    found = set()
    parts = [part + end for part in pem.split(end) if part]
    for part, authority in zip(parts, authorities.every(), strict=True):
        one = x509.load_pem_x509_crl(part.encode())
        assert one.is_signature_valid(authority.certificate.public_key())
        found |= {f"{each.serial_number:x}" for each in one}
    return found


async def test_an_authority_is_followed_by_one_that_was_trusted_before_it_signs(
    database, gateway, settings
):
    old = load_authorities(settings)
    assert load_authorities(settings).bundle() == old.bundle()
    key = new_key()
    issued = await redeemed(database, old, await claimed(database, old), key)
    both = begin_rotation(settings)
    assert both.issuing.certificate == old.issuing.certificate
    assert both.bundle().startswith(old.bundle())
    assert both.bundle().count("BEGIN CERTIFICATE") == 2
    with pytest.raises(SettingsError, match="waits already"):
        begin_rotation(settings)
    new = finish_rotation(settings)
    assert new.issuing.certificate == both.others[0].certificate
    with pytest.raises(SettingsError, match="made ready"):
        finish_rotation(settings)
    following = await renewed(database, new, key, new_key())
    x509.load_pem_x509_certificate(following.certificate.encode()).verify_directly_issued_by(
        new.issuing.certificate
    )
    async with database.writing() as session:
        await revoke_gateway(session, *NAME)
    assert await listed(database, new) == {serial_of(issued), serial_of(following)}
    for file in (settings.data_dir / "authority").glob("*.pem"):
        assert file.stat().st_mode & 0o777 == 0o600
    folder = await write_for_brokers(database, settings)
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == {
        "authority.pem": 0o644,
        "crl.pem": 0o644,
    }


def test_an_authority_given_by_a_setting_signs_and_rotates_elsewhere(tmp_path, settings):
    load_authorities(settings)
    pem = (settings.data_dir / "authority" / "issuing.pem").read_text()
    given = load_settings(mode="dev", data_dir=tmp_path / "other", authority=pem)
    assert load_authorities(given).bundle() == load_authorities(settings).bundle()
    assert not (tmp_path / "other" / "authority").exists()
    with pytest.raises(SettingsError, match="given by a setting"):
        begin_rotation(given)
    with pytest.raises(SettingsError, match="authority is PEM"):
        load_authorities(load_settings(mode="dev", data_dir=tmp_path, authority="nonsense"))


async def test_names_too_long_for_a_certificate_are_told_when_the_token_is_asked_for(
    database, authorities
):
    site, name = "a" * 32, "b" * 32
    async with database.writing() as session:
        await add_gateway(session, site, name)
    with pytest.raises(GatewayRefusedError, match="at most 63 characters"):
        async with database.writing() as session:
            await make_claim(session, authorities, (site, name), NOW_US, 24)
    with pytest.raises(CertificateError):
        common_name(site, name)
