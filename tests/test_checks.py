"""What `make audit` and `make check` decide by: neither passes anything over in silence."""

import importlib.util
from pathlib import Path

import pytest

CI = Path(__file__).parents[1] / ".ci"


def load(name):
    spec = importlib.util.spec_from_file_location(name, CI / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit, scan = load("audit"), load("secrets_scan")
LOCK = "litestar==2.25.0 \\\n    --hash=sha256:00\nPy.JWT_x==2.15.1 ; sys_platform != 'x'\n"
GOOD = [{"name": "litestar", "version": "2.25.0", "vulns": []}, {"name": "py-jwt-x", "vulns": []}]


def test_what_was_looked_up_and_is_clean_passes():
    assert audit.pinned([LOCK]) == {"litestar", "py-jwt-x"}
    assert audit.faults_of({"dependencies": GOOD}, audit.pinned([LOCK])) == []


def test_a_package_that_was_not_looked_up_is_a_failure():
    skipped = {"name": "py-jwt-x", "skip_reason": "service did not answer"}
    faults = audit.faults_of({"dependencies": [GOOD[0], skipped]}, audit.pinned([LOCK]))
    assert faults == ["py-jwt-x: not looked up: service did not answer"]


def test_a_known_vulnerability_is_named_with_its_mend():
    bad = GOOD[0] | {"vulns": [{"id": "PYSEC-1", "fix_versions": ["2.25.1"]}]}
    faults = audit.faults_of({"dependencies": [bad, GOOD[1]]}, audit.pinned([LOCK]))
    assert faults == ["litestar 2.25.0: PYSEC-1, mended in 2.25.1"]


def test_a_pinned_package_the_report_does_not_name_is_a_failure():
    faults = audit.faults_of({"dependencies": GOOD[:1]}, audit.pinned([LOCK]))
    assert faults == ["py-jwt-x: pinned, and the report does not name it"]


@pytest.mark.parametrize("report", [{}, {"dependencies": None}, {"dependencies": "all well"}])
def test_no_report_is_a_failure(report):
    assert audit.faults_of(report, set()) == ["pip-audit gave no report"]


PLANTED = {
    "a private key": "-----BEGIN " + "EC PRIVATE KEY-----",
    "an AWS key": "AKIA" + "IOSFODNN7EXAMPLE",
    "a GitHub token": "ghp_" + "a1" * 18,
    "a signed token": "eyJ" + "a" * 12 + ".eyJ" + "b" * 12 + "." + "c" * 30,
    "a password in an address": "postgresql://hub:" + "Zx81kk2mmQp0@db/hub",
    "a secret given a value": 'SECRET_KEY = "' + "Zk3" * 12 + '"',
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_secret_that_is_committed_is_found(what, tmp_path, capsys):
    (tmp_path / "settings.py").write_text(f"x = 1\n{PLANTED[what]}\n")
    assert scan.main([str(tmp_path / "settings.py")]) == 1
    assert f"settings.py:2: looks like {what}" in capsys.readouterr().err


def test_a_line_that_says_why_it_is_none_passes(tmp_path):
    (tmp_path / "x").write_text(f"{PLANTED['an AWS key']}  # no secret: the vendor's own example\n")
    assert scan.main([str(tmp_path / "x"), str(tmp_path / "missing")]) == 0
