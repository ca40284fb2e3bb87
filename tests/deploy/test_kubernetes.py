"""The manifests, by Kubernetes' own schemas."""

import kubernetes_validate
import pytest
from aerocast_hub.services import REGISTRY
from aerocast_hub.settings import PREFIX, Settings

from tests.deploy.folder import DEPLOY, documents_in

FOLDER = DEPLOY / "kubernetes"
MANIFESTS = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml")
EVERYTHING = [each for path in MANIFESTS for each in documents_in(path)]


def every(kind):
    return {each["metadata"]["name"]: each for each in EVERYTHING if each["kind"] == kind}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_fits_kubernetes_schemas(path):
    for document in documents_in(path):
        kubernetes_validate.validate(document, "1.31", strict=True)


def test_a_mistake_does_not_fit():
    wrong = every("Deployment")["auth"] | {"spec": {"replicas": "two"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.31", strict=True)


@pytest.mark.parametrize("folder", ["base", "airport"])
def test_a_kustomization_names_files_that_are_there_and_forgets_none(folder):
    (kustomization,) = documents_in(FOLDER / folder / "kustomization.yaml")
    named = {(FOLDER / folder / each).resolve() for each in kustomization["resources"]}
    assert all(each.exists() for each in named)
    beside = {
        path.resolve()
        for path in (FOLDER / folder).glob("*.yaml")
        if path.name != "kustomization.yaml"
    }
    assert beside <= named


def test_each_service_runs_twice_by_itself_on_its_own_port():
    for name, service in REGISTRY.items():
        deployment = every("Deployment")[name]
        assert deployment["spec"]["replicas"] == 2
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        given = {each["name"]: each["value"] for each in container["env"]}
        assert given[f"{PREFIX}SERVICES"] == name
        assert given[f"{PREFIX}HTTP_PORT"] == str(service.port)
        assert container["ports"][0]["containerPort"] == service.port
        assert every("Service")[name]["spec"]["ports"][0]["port"] == service.port


def test_orientation_is_told_where_to_ask_the_others():
    (container,) = every("Deployment")["orientation"]["spec"]["template"]["spec"]["containers"]
    given = {each["name"]: each["value"] for each in container["env"]}
    for name in ("baggage", "weather"):
        url = f"http://{name}:{REGISTRY[name].port}"
        assert given[f"{PREFIX}{name.upper()}_URL"] == url


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_pods_can_do_nothing_but_their_work(kind):
    for name, workload in every(kind).items():
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            allowed = container["securityContext"]
            assert allowed["readOnlyRootFilesystem"] is True, name
            assert allowed["allowPrivilegeEscalation"] is False, name
            assert allowed["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in container["resources"]["limits"], name


def test_every_setting_is_one():
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in every("ConfigMap")["aerocast-hub"]["data"]:
        assert name.removesuffix("_FILE") in known
