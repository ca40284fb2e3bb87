"""The store of objects: a folder, and a real S3 endpoint."""

import obstore
import pytest
from aerocast_hub.settings import load_settings
from aerocast_hub.storage.objects import open_objects
from obstore.store import S3Store

from tests.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, seaweedfs


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    with seaweedfs(tmp_path_factory.mktemp("weed")) as address:
        store = S3Store(
            BUCKET,
            config={
                "endpoint": address,
                "access_key_id": ACCESS_KEY,
                "secret_access_key": SECRET_KEY,
                "region": "us-east-1",
            },
            client_options={"allow_http": True},
        )
        obstore.put(store, "first", b"makes the bucket")
        yield address


@pytest.fixture(params=["folder", "s3"])
def store_settings(request, tmp_path):
    """What a hub says of its store."""
    if request.param == "folder":
        return {"data_dir": str(tmp_path)}
    return {
        "data_dir": str(tmp_path),
        "objects_url": f"s3://{BUCKET}/{tmp_path.name}",
        "s3_endpoint": request.getfixturevalue("endpoint"),
        "s3_access_key": ACCESS_KEY,
        "s3_secret_key": SECRET_KEY,
    }


@pytest.fixture
def objects(store_settings):
    return open_objects(load_settings(mode="dev", **store_settings))


@pytest.fixture
def store_environment(store_settings, monkeypatch):
    """The same for commands."""
    monkeypatch.setenv("AEROCAST_HUB_MODE", "dev")
    for name, value in store_settings.items():
        monkeypatch.setenv(f"AEROCAST_HUB_{name.upper()}", value)
