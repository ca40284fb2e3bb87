import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from aerocast_hub.web.assets import STATIC, SWAGGER_UI, VENDOR, asset_url, static_files
from aerocast_hub.web.docs import description_of
from litestar import Litestar
from litestar.testing import AsyncTestClient

ROOT = Path(__file__).parents[3]
MANIFEST = json.loads((VENDOR / "MANIFEST.json").read_text())
DESCRIPTION = description_of("AeroCast", "1")
APP = Litestar([static_files()], openapi_config=DESCRIPTION, plugins=[DESCRIPTION.handlers])


async def ask(path, **request):
    async with AsyncTestClient(APP) as client:
        return await client.get(path, **request)


@pytest.mark.parametrize("package", MANIFEST)
def test_vendored_files_are_the_ones_that_were_fetched(package):
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (VENDOR / package).iterdir()
    }
    assert found == MANIFEST[package]["sha256"]
    assert MANIFEST[package]["licence"]
    assert "LICENSE" in found


def test_nothing_is_vendored_that_the_manifest_does_not_name():
    assert {path.name for path in VENDOR.iterdir()} == {*MANIFEST, "MANIFEST.json"}
    assert SWAGGER_UI.removeprefix("vendor/") in MANIFEST


def test_no_committed_file_names_a_package_registry():
    # Written apart, so that this file does not name them either.
    hosts = [
        ".".join(parts)
        for parts in (
            ("registry", "npmjs", "org"),
            ("files", "pythonhosted", "org"),
            ("pypi", "org", "simple")[:2],
            ("registry", "yarnpkg", "com"),
            ("npm", "pkg", "github", "com"),
        )
    ]
    pattern = "|".join(re.escape(host) for host in hosts)
    found = subprocess.run(
        ["git", "grep", "-lE", pattern], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode > 1:
        pytest.skip("git: not a checkout")
    assert found.stdout.split() == []


async def test_static_files_are_kept_until_their_address_changes():
    answer = await ask(asset_url("style.css"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "max-age=31536000, public, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    digest = hashlib.sha256((STATIC / "style.css").read_bytes()).hexdigest()
    assert asset_url("style.css").endswith(f"?v={digest[:12]}")


@pytest.mark.parametrize("path", ["/static/../assets.py", "/static/%2e%2e/assets.py"])
async def test_nothing_outside_the_folder_is_served(path):
    assert (await ask(path)).status_code == 404


async def test_the_docs_page_names_no_other_site_and_runs_no_inline_script():
    answer = await ask("/docs")
    assert answer.status_code == 200
    assert "//" not in re.sub(r"<!--.*?-->", "", answer.text)
    assert re.findall(r"<script(?![^>]* src=)", answer.text) == []
    assert "style=" not in answer.text
    for address in re.findall(r'(?:src|href)="([^"]+)"', answer.text):
        assert (await ask(address)).status_code == 200


async def test_the_description_says_how_to_come_in():
    description = (await ask("/docs/openapi.json")).json()
    assert description["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert description["components"]["securitySchemes"]["key"]["in"] == "header"
    assert description["security"] == [{"bearer": []}, {"key": []}]


@pytest.mark.parametrize(
    "path", sorted(path for path in STATIC.rglob("*") if path.suffix in {".css", ".js", ".svg"})
)
def test_our_own_static_files_ask_no_other_site_for_anything(path):
    if VENDOR in path.parents:
        return
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"(https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text)
    assert "@import" not in text
