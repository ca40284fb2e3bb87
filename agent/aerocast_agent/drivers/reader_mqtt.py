"""Driver for readers that publish tags as JSON over MQTT: Impinj R700, Zebra's IoT Connector."""

from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.mqtt_link import Broker, Link
from aerocast_agent.network_reader import Access, Maker, Reports, decoder

_MQTT_3_1_1 = 3  # what every broker speaks


class MqttReader:
    """Reads what one reader publishes.

    The broker keeps messages while we are away, as far as it is set up to.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    broker
        ``mqtt://host:port`` or ``mqtts://host:port``.
    topic
        Where the reader publishes; wildcards are allowed.
    maker
        Whose JSON it is.
    client_id
        Who we are to the broker: always the same, and nobody else's.
    """

    def __init__(
        self, name: str, broker: str, topic: str, access: Access, *, maker: Maker, client_id: str
    ) -> None:
        self.name = name
        self._client_id = client_id
        self._broker = Broker(
            broker, _MQTT_3_1_1, ca=access.ca, user=access.user, password=access.password
        )
        self._topic = topic
        self._maker = maker

    async def run(self, accept: Accept) -> None:
        """Read until the broker is lost (``LinkError``, ``ConnectionResetError``)."""
        reports = Reports(self.name, decoder(self._maker), accept)

        def received(_topic: str, message: bytes) -> None:
            reports.take(message, clock.boot_ns())

        link = Link(self._broker, self._client_id, None, received, keep_session=True)
        await link.open([self._topic])
        try:
            accept(
                DeviceEvent(
                    device=self.name,
                    boot_ns=clock.boot_ns(),
                    event="connected",
                    detail=f"{self._broker.url} {self._topic}"[-512:],
                )
            )
            await link.lost.wait()
            raise ConnectionResetError(f"{self._broker.url}: {link.why_lost}")
        finally:
            await link.close()
