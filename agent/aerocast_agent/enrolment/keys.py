"""A gateway's keys: made here, never leaving it. Loads ``cryptography``: not for the daemon."""

import base64
import hashlib
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

RENEWAL = b"aerocast renewal v1\0"
FILE_WORD = b"aerocast file v1\0"


class Term(NamedTuple):
    """When a certificate begins and ends, UTC."""

    begins: datetime
    ends: datetime


def make_key() -> str:
    """Make a key on the curve P-256, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def request_for(key_pem: str, name: str | None) -> str:
    """Write a certificate request (PEM) for a key; without a name the hub decides whose it is."""
    names = [] if name is None else [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    return builder.sign(_key(key_pem), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def sign_renewal(key_pem: str, request: str) -> str:
    """Give a key's word that its owner asks for the next certificate (base64)."""
    return _signed(key_pem, RENEWAL + request.encode())


def sign_file(key_pem: str, said: bytes) -> str:
    """Give a key's word for what is said of a file (base64)."""
    return _signed(key_pem, FILE_WORD + said)


def belongs(certificate_pem: str, key_pem: str) -> bool:
    """Say whether a certificate is of this key."""
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    return certificate.public_key() == _key(key_pem).public_key()


def term_of(certificate_pem: str) -> Term:
    """Say when a certificate begins and ends."""
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    return Term(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def has_pin(authority_pem: str, pin: str) -> bool:
    """Say whether an authority that a token's pin means is among these certificates."""
    return any(
        _pin(certificate)[: len(pin)] == pin.lower()
        for certificate in x509.load_pem_x509_certificates(authority_pem.encode())
    )


def _pin(certificate: x509.Certificate) -> str:
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return base64.b32encode(digest).decode().rstrip("=").lower()


def _signed(key_pem: str, content: bytes) -> str:
    signature = _key(key_pem).sign(content, ec.ECDSA(hashes.SHA256()))
    return base64.b64encode(signature).decode()


def _key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the gateway's key is not on an elliptic curve")  # noqa: TRY004  a value
    return key
