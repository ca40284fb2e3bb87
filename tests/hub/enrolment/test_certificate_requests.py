"""A certificate request is a proof of a key on P-256, or is refused with its reason."""

import pytest
from aerocast_agent.enrolment import keys
from aerocast_hub.enrolment.certificates import (
    CertificateError,
    is_signed_by,
    parse_common_name,
    read_request,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st


def requested(key, algorithm=hashes.SHA256()):  # noqa: B008  it holds nothing
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return built.sign(key, algorithm).public_bytes(Encoding.PEM).decode()


def test_what_a_gateway_makes_the_hub_reads():
    key = keys.make_key()
    assert read_request(keys.request_for(key, "lfbo/hall-1")).common_name == "lfbo/hall-1"
    assert read_request(keys.request_for(key, None)).common_name is None


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        ("", "no certificate request"),
        ("x" * 8193, "too long"),
        (requested(ec.generate_private_key(ec.SECP384R1())), "P-256"),
        (requested(rsa.generate_private_key(65537, 2048)), "P-256"),
    ],
)
def test_another_request_is_refused_with_its_reason(pem, reason):
    with pytest.raises(CertificateError, match=reason):
        read_request(pem)


def test_a_request_for_somebody_elses_key_is_refused():
    pem = requested(ec.generate_private_key(ec.SECP256R1()))
    der = bytearray(x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.DER))
    der[-1] ^= 1  # the signature's last bit
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()
    with pytest.raises(CertificateError, match="not signed by its own key"):
        read_request(forged)


@given(st.text(max_size=400) | st.binary(max_size=400).map(lambda raw: raw.decode("latin-1")))
@settings(max_examples=60, deadline=None)
def test_anything_is_read_or_refused(text):
    with pytest.raises(CertificateError):
        read_request(text)
    with pytest.raises(CertificateError):
        read_request(
            f"-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n"
        )


def test_a_renewals_word_is_good_for_that_request_alone():
    key = keys.make_key()
    request = keys.request_for(keys.make_key(), None)
    public = read_request(keys.request_for(key, None)).public_key
    import base64  # noqa: PLC0415

    signature = base64.b64decode(keys.sign_renewal(key, request))
    assert is_signed_by(public, signature, keys.RENEWAL + request.encode())
    assert not is_signed_by(public, signature, request.encode())
    assert not is_signed_by(public, signature, keys.RENEWAL + request.encode() + b" ")
    assert not is_signed_by(public, b"", keys.RENEWAL + request.encode())


@pytest.mark.parametrize(
    "name", ["", "/", "lfbo", "lfbo/", "/x", "LFBO/x", "a/b/c", "a/+", "a.b/c"]
)
def test_a_name_that_is_no_gateways_is_none(name):
    assert parse_common_name(name) is None
