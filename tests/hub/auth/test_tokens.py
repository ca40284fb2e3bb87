import jwt
import pytest
from aerocast_hub.auth.tokens import (
    ACCESS_TOKEN_S,
    TokenError,
    TokenSigner,
    TokenVerifier,
    jwk,
    key_id,
)
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = TokenSigner(KEY)
VERIFIER = TokenVerifier({SIGNER.key_id: KEY.public_key()})
NOW_S = 1_790_000_000


def token(now_s=NOW_S):
    return SIGNER.issue("u-1", "ada", frozenset({"baggage:read", "weather:read"}), now_s)


def test_a_token_says_who_may_do_what_until_when():
    principal = VERIFIER.verify(token(), NOW_S + 1)
    assert principal.name == "ada"
    assert principal.user_id == "u-1"
    assert principal.permissions == {"baggage:read", "weather:read"}
    assert principal.expires_at_s == NOW_S + 15 * 60
    assert (principal.airlines, principal.stations) == (None, None)


def test_a_token_says_whose_rows_its_holder_sees():
    some = frozenset({"AF", "EJU"})
    bound = SIGNER.issue("u-1", "ada", frozenset(), NOW_S, airlines=some, stations=frozenset())
    principal = VERIFIER.verify(bound, NOW_S)
    assert (principal.airlines, principal.stations) == (some, frozenset())


def test_the_key_is_named_as_rfc_8037_names_its_example():
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert key_id(Ed25519PublicKey.from_public_bytes(public)) == (
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )


def test_a_token_names_its_key():
    assert jwt.get_unverified_header(token()) == {
        "alg": "EdDSA",
        "kid": SIGNER.key_id,
        "typ": "JWT",
    }


@pytest.mark.parametrize("late_s", [0, 1, 10_000])
def test_a_token_ends(late_s):
    with pytest.raises(TokenError, match="past its time"):
        VERIFIER.verify(token(), NOW_S + ACCESS_TOKEN_S + late_s)


def test_a_token_of_another_key_under_our_name_is_refused():
    forger = Ed25519PrivateKey.generate()
    claims = jwt.decode(token(), options={"verify_signature": False})
    forged = jwt.encode(claims, forger, algorithm="EdDSA", headers={"kid": SIGNER.key_id})
    with pytest.raises(TokenError, match="not one of ours"):
        VERIFIER.verify(forged, NOW_S)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_signed_without_our_key_is_refused(algorithm):
    claims = jwt.decode(token(), options={"verify_signature": False})
    public = KEY.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    forged = jwt.encode(
        claims,
        None if algorithm == "none" else public,
        algorithm=algorithm,
        headers={"kid": SIGNER.key_id},
    )
    with pytest.raises(TokenError, match="not one of ours"):
        VERIFIER.verify(forged, NOW_S)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody"},
        {"aud": "somebody"},
        {"aud": None},
        {"exp": "soon"},
        {"scope": None},
        {"sub": 7},
    ],
)
def test_a_token_with_other_claims_is_refused(changed):
    claims = jwt.decode(token(), options={"verify_signature": False}) | changed
    strange = jwt.encode(claims, KEY, algorithm="EdDSA", headers={"kid": SIGNER.key_id})
    with pytest.raises(TokenError):
        VERIFIER.verify(strange, NOW_S)


@given(st.text(max_size=300) | st.integers(0, 250).map(lambda cut: token()[:cut]))
def test_any_text_is_a_token_or_refused(text):
    with pytest.raises(TokenError):
        VERIFIER.verify(text, NOW_S)


def test_the_public_key_is_written_as_rfc_8037_writes_its_example():
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    written = jwk(Ed25519PublicKey.from_public_bytes(public))
    assert written.items() >= {
        ("kty", "OKP"),
        ("crv", "Ed25519"),
        ("x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
    }
