"""Keys change without anybody noticing, or with everybody noticing when one was stolen."""

import os
import stat
import subprocess
import sys

import jwt
import pytest
from aerocast_hub.auth.token_keys import FOLDER, RETIRES_AFTER_S, TokenKeys, key_states, rotate
from aerocast_hub.auth.tokens import TokenError
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.hub.auth.people import bearer, log_in

NOW_S = 1_790_000_000


@pytest.fixture(scope="module")
def engine_kind():
    """Keys stand in a folder, not in the database."""
    return "sqlite"


def issue(keys):
    return keys.signer.issue("u-1", "ada", frozenset({"weather:read"}), NOW_S)


def signing(folder):
    return TokenKeys(folder, is_signing=True)


def hurry(keys):
    """Let it look at the folder again now."""
    keys._look_again_at_s = 0.0
    return keys


def test_the_key_stays_from_start_to_start_and_only_its_owner_may_read_it(tmp_path):
    first, second = signing(tmp_path).signer, signing(tmp_path).signer
    assert first.key_id == second.key_id
    private = tmp_path / FOLDER / "1.private.pem"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700


def test_another_process_verifies_by_the_public_key_alone(tmp_path):
    elsewhere = TokenKeys(tmp_path, is_signing=False)
    with pytest.raises(TokenError):
        elsewhere.verify("not.a.token", NOW_S)
    token = issue(signing(tmp_path))
    (tmp_path / FOLDER / "1.private.pem").unlink()
    assert elsewhere.verify(token, NOW_S).permissions == {"weather:read"}


def test_processes_that_start_together_end_up_with_one_key(tmp_path):
    code = (
        "import sys, pathlib; from aerocast_hub.auth.token_keys import TokenKeys; "
        "print(TokenKeys(pathlib.Path(sys.argv[1]), is_signing=True).signer.key_id)"
    )
    starting = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=60)[0] for process in starting}) == 1


def test_a_new_key_signs_at_once_and_tokens_of_the_old_one_stay_good(tmp_path):
    keys, elsewhere = signing(tmp_path), TokenKeys(tmp_path, is_signing=False)
    old = issue(keys)
    assert elsewhere.verify(old, NOW_S).name == "ada"
    rotate(tmp_path, is_compromised=False)
    new = issue(keys)
    kids = [jwt.get_unverified_header(each)["kid"] for each in (old, new)]
    assert kids[0] != kids[1]
    for each in (keys, elsewhere):
        assert each.verify(new, NOW_S).name == "ada"
        assert each.verify(old, NOW_S).name == "ada"
    assert [state.id for state in key_states(tmp_path)] == [kids[1], kids[0]]
    assert [path.name for path in (tmp_path / FOLDER).glob("*.private.pem")] == ["2.private.pem"]


def test_an_old_key_is_let_go_when_its_last_token_has_ended(tmp_path):
    keys = signing(tmp_path)
    old = issue(keys)
    rotate(tmp_path, is_compromised=False)
    newest = tmp_path / FOLDER / "2.public.pem"
    long_ago_s = newest.stat().st_mtime - RETIRES_AFTER_S - 1
    os.utime(newest, (long_ago_s, long_ago_s))
    assert len(key_states(tmp_path)) == 1
    with pytest.raises(TokenError, match="not one of ours"):
        TokenKeys(tmp_path, is_signing=False).verify(old, NOW_S)
    rotate(tmp_path, is_compromised=False)
    names = {path.name for path in (tmp_path / FOLDER).glob("*.pem")}
    assert names == {"2.public.pem", "3.public.pem", "3.private.pem"}


def test_tokens_of_a_stolen_key_are_refused_by_all_who_took_them(tmp_path):
    keys, elsewhere = signing(tmp_path), TokenKeys(tmp_path, is_signing=False)
    stolen = issue(keys)
    assert elsewhere.verify(stolen, NOW_S).name == "ada"
    rotate(tmp_path, is_compromised=True)
    for each in (keys, elsewhere):
        with pytest.raises(TokenError, match="not one of ours"):
            hurry(each).verify(stolen, NOW_S)
        assert each.verify(issue(keys), NOW_S).name == "ada"


def test_a_file_that_is_no_key_of_ours_is_named(tmp_path):
    (tmp_path / FOLDER).mkdir()
    rsa = generate_private_key(65537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (tmp_path / FOLDER / "1.private.pem").write_bytes(rsa)
    with pytest.raises(TokenError, match=r"1\.private\.pem holds no Ed25519 private key"):
        _ = signing(tmp_path).signer


async def test_the_public_keys_check_our_tokens_elsewhere(hub, settings):
    tokens = await log_in(hub)
    rotate(settings.data_dir, is_compromised=False)
    answer = await hub.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    published = jwt.PyJWKSet.from_dict(answer.json())
    kid = jwt.get_unverified_header(tokens.json()["access_token"])["kid"]
    assert len(published.keys) == 2
    token = tokens.json()["access_token"]
    claims = jwt.decode(token, published[kid].key, ["EdDSA"], audience="aerocast-hub")
    assert claims["name"] == "viewer"
    assert (await hub.get("/api/gateways", headers=bearer(tokens))).status_code == 200
