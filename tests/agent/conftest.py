import pytest

from tests.agent.brokers import Broker
from tests.agent.fake_hub import FakeHub


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    one = Broker(tmp_path_factory.mktemp("broker"))
    one.start()
    yield one
    one.kill()


@pytest.fixture
def hub(broker):
    one = FakeHub(broker.port_v5)
    yield one
    one.stop()
