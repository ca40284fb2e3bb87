"""Scanners brought to their profiles over the lines their scans come on."""

import pytest
from aerocast_agent.adjusting import Adjusted, adjust
from aerocast_agent.drivers.serial_scanner import SerialScanner
from aerocast_agent.drivers.tcp_scanner import TcpScanner
from aerocast_agent.profiles import ScannerProfile
from aerocast_protocols.errors import ProtocolError
from aerocast_simulator.network_scanners import TunnelScanner
from aerocast_simulator.scanner_memory import ScannerMemory
from aerocast_simulator.serial_devices import PtyScanner

TOLD = Adjusted(device="desk", profile="scanner")


def profile(dialect, **settings):
    return ScannerProfile(vendor="any", model="any", dialect=dialect, settings=settings)


async def test_a_handheld_on_a_serial_line_is_brought_to_its_profile_and_keeps_it():
    memory = ScannerMemory("honeywell", {"I25ENA": "0", "I25MIN": "4", "I25MAX": "80"})
    wanted = profile("honeywell", I25ENA="1", I25MIN="10", I25MAX="10", NOSUCH="1")
    with PtyScanner(memory=memory) as scanner:
        driver = SerialScanner("desk", scanner.path, profile=wanted)
        compared = await adjust(driver, wanted.wanted(), TOLD, dry_run=True)
        assert [each.key for each in compared.differences] == ["I25ENA", "I25MIN", "I25MAX"]
        assert compared.untold == ("NOSUCH",)
        assert memory.settings["I25ENA"] == "0"
        adjusted = await adjust(driver, wanted.wanted(), TOLD)
        assert (adjusted.applied, adjusted.error) == (True, None)
    assert memory.saved == {"I25ENA": "1", "I25MIN": "10", "I25MAX": "10"}


async def test_a_value_that_a_handheld_refuses_is_undone_with_the_rest():
    memory = ScannerMemory("honeywell", {"I25ENA": "0", "I25MIN": "4"})
    wanted = profile("honeywell", I25ENA="1", I25MIN="ten")
    with PtyScanner(memory=memory) as scanner:
        adjusted = await adjust(
            SerialScanner("desk", scanner.path, profile=wanted), wanted.wanted(), TOLD
        )
    assert (adjusted.applied, adjusted.rolled_back) == (False, True)
    assert "I25MIN" in adjusted.error
    assert memory.saved == {"I25ENA": "0", "I25MIN": "4"}


@pytest.mark.parametrize("dialect", ["dmcc", "cola_a"])
async def test_a_tunnel_is_brought_to_its_profile_while_bags_pass(dialect):
    memory = ScannerMemory(dialect, {"SYMBOL.I2O5": "OFF", "Heartbeat": "0"})
    wanted = profile(dialect, **{"SYMBOL.I2O5": "ON", "Heartbeat": "5"})
    tunnel = TunnelScanner("stx_etx" if dialect == "cola_a" else "auto", memory)
    await tunnel.listen()
    driver = TcpScanner("tunnel", "127.0.0.1", tunnel.port, profile=wanted)
    adjusted = await adjust(driver, wanted.wanted(), TOLD)
    assert (adjusted.applied, adjusted.error) == (True, None)
    assert memory.saved == {"SYMBOL.I2O5": "ON", "Heartbeat": "5"}
    again = await adjust(driver, wanted.wanted(), TOLD)
    assert again.differences == ()
    tunnel.stop()


async def test_without_a_profile_nothing_can_be_asked():
    with pytest.raises(ProtocolError, match="names no profile"):
        await SerialScanner("desk", "/dev/null").read_back()
