"""Certificates of gateways, brokers and hubs: made and read, without clock or file.

X.509 after RFC 5280. Keys are on the curve P-256: every OpenSSL, Erlang and rustls takes them, and
so do the security chips of gateways, which Ed25519 cannot be said of.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import NamedTuple

from aerocast_protocols.topics import is_name
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LASTS = timedelta(days=3650)
SERVER_LASTS = timedelta(days=397)
BEGINS_EARLIER = timedelta(hours=1)
"""A gateway whose clock is a little behind must not refuse what it was just given."""
CRL_LASTS = timedelta(days=30)
"""A hub that is down for days must not stop the airport: past its end brokers refuse everyone."""
LONGEST_REQUEST = 8192
LONGEST_COMMON_NAME = 64  # RFC 5280, ub-common-name
HUB = "aerocast-hub"
"""The common name of a hub at the broker: no gateway's, for it has no slash."""


class CertificateError(ValueError):
    """A request, key or certificate cannot be used; the message says why."""


class Authority(NamedTuple):
    """Who signs: a key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


class Request(NamedTuple):
    """What a gateway asks to have certified; ``common_name`` is None when it leaves that to us."""

    public_key: ec.EllipticCurvePublicKey
    common_name: str | None


class Term(NamedTuple):
    """When a certificate begins and ends."""

    begins: datetime
    ends: datetime


def common_name(site: str, name: str) -> str:
    """Name a gateway in its certificate: ``site/name``, as its topics have it.

    Raises
    ------
    CertificateError
        The two are too long together for a certificate.
    """
    named = f"{site}/{name}"
    if len(named) > LONGEST_COMMON_NAME:
        raise CertificateError(
            f"{named} is too long for a certificate: site and name together at most "
            f"{LONGEST_COMMON_NAME - 1} characters"
        )
    return named


def parse_common_name(text: str) -> tuple[str, str] | None:
    """Read who a certificate speaks for: site and gateway; None when it names no gateway."""
    site, slash, name = text.partition("/")
    return (site, name) if slash and is_name(site) and is_name(name) else None


def make_authority(now: datetime, serial: int) -> Authority:
    """Make an authority of a key of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "AeroCast"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"AeroCast gateways {now:%Y-%m-%d}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - BEGINS_EARLIER)
        .not_valid_after(now + AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def read_request(pem: str) -> Request:
    """Read a certificate request (PKCS #10) and see that whoever made it has the key.

    Raises
    ------
    CertificateError
        It is none, its key is not on P-256, or its signature does not hold.
    """
    if len(pem) > LONGEST_REQUEST:
        raise CertificateError(f"a certificate request of {len(pem)} characters is too long")
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        key = request.public_key()
        is_signed = request.is_signature_valid
        names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType) as error:
        raise CertificateError("this is no certificate request in PEM") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CertificateError("the key of a certificate request must be on the curve P-256")
    if not is_signed:
        raise CertificateError("the certificate request is not signed by its own key")
    return Request(key, str(names[0].value) if names else None)


def read_key(pem: str) -> ec.EllipticCurvePublicKey | None:
    """Read the key of a certificate; None: it is of another kind than we certify.

    Raises
    ------
    ValueError, TypeError
        This is no certificate in PEM.
    """
    try:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    except UnsupportedAlgorithm:
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None


def certify_gateway(
    authority: Authority, public_key: ec.EllipticCurvePublicKey, name: str, serial: int, term: Term
) -> x509.Certificate:
    """Certify that whoever has this key is the gateway of this common name."""
    unsigned = _leaf(authority, public_key, name, serial, term)
    return (
        unsigned.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.UniformResourceIdentifier(f"urn:aerocast:gateway:{name}")]
            ),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )


def certify_service(
    authority: Authority,
    public_key: ec.EllipticCurvePublicKey,
    name: str,
    hosts: Sequence[str],
    serial: int,
    term: Term,
) -> x509.Certificate:
    """Certify a broker or a hub: a server at these hosts, and a client by its name.

    Raises
    ------
    CertificateError
        A host is neither a name nor an address.
    """
    unsigned = _leaf(authority, public_key, name, serial, term)
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if hosts:
        usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
        places = x509.SubjectAlternativeName([_place(host) for host in hosts])
        unsigned = unsigned.add_extension(places, critical=False)
    return unsigned.add_extension(x509.ExtendedKeyUsage(usages), critical=False).sign(
        authority.key, hashes.SHA256()
    )


def _place(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise CertificateError(f"{host!r} is neither a host's name nor an address") from error


def _leaf(
    authority: Authority, public_key: ec.EllipticCurvePublicKey, name: str, serial: int, term: Term
) -> x509.CertificateBuilder:
    issuer = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority.certificate.subject)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(term.begins)
        .not_valid_after(term.ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer.value),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def revocation_list(
    authority: Authority, revoked: Iterable[tuple[int, datetime]], now: datetime, number: int
) -> x509.CertificateRevocationList:
    """Give the list of serial numbers that are good no more, and since when."""
    issuer = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - BEGINS_EARLIER)
        .next_update(now + CRL_LASTS)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer.value),
            critical=False,
        )
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial, since in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        )
    return builder.sign(authority.key, hashes.SHA256())


def is_signed_by(public_key: ec.EllipticCurvePublicKey, signature: bytes, content: bytes) -> bool:
    """Say whether this key's owner signed this (ECDSA with SHA-256, DER)."""
    try:
        public_key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def key_digest(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """Give what tells one key from all others: SHA-256 of it."""
    told = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(told).digest()


def to_pem(certificate: x509.Certificate | x509.CertificateRevocationList) -> str:
    """Write as PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()


def key_to_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """Write a key as PEM, PKCS #8, not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def read_authority(pem: bytes) -> tuple[Authority, list[x509.Certificate]]:
    """Read an authority's key and certificate, and whom to trust besides.

    Raises
    ------
    CertificateError
        It lacks one of them, or they do not belong together.
    """
    try:
        key = load_pem_private_key(pem, None)
        certificates = x509.load_pem_x509_certificates(pem)
    except (ValueError, TypeError) as error:
        raise CertificateError(
            "an authority is PEM: a key on P-256, and its certificate"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError("an authority's key must be on the curve P-256")
    for certificate in certificates:
        if certificate.public_key() == key.public_key():
            return Authority(key, certificate), [
                each for each in certificates if each is not certificate
            ]
    raise CertificateError("the authority's key belongs to none of its certificates")
