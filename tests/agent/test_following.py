"""An observation goes on as it is; belts of recordings and real ones keep times of their own."""

from pathlib import Path

from aerocast_agent.build import build
from aerocast_agent.config_file import parse_config
from aerocast_protocols.epc.bag_tag import BagTag, bag_tag_pc, encode_bag_tag
from aerocast_protocols.observations.bags import BagPassage, NoRead, TagRead

BAG = encode_bag_tag(BagTag("0220123456", 187))
CONFIG = """
[gateway]
site = "lfbo"
name = "hall-1"
[[device]]
name = "portal"
kind = "llrp"
host = "127.0.0.1"
[[device]]
name = "old-day"
kind = "replay"
file = "old.llrp"
format = "llrp"
[[belt]]
name = "b1"
point = "sortation"
antennas = ["portal:1"]
[[belt]]
name = "b2"
point = "reclaim"
antennas = ["old-day:1"]
"""


def built(accept):
    return build(parse_config(CONFIG, name="agent.toml", folder=Path("/nowhere")), accept)


def reads(device, start_ns):
    return [
        TagRead(
            device=device,
            boot_ns=start_ns + number * 100_000_000,
            epc=BAG,
            pc=bag_tag_pc(BAG),
            antenna=1,
            rssi_dbm=dbm,
        )
        for number, dbm in enumerate((-70.0, -60.0, -50.0, -60.0, -70.0))
    ]


def test_observations_go_on_as_they_are():
    accepted = []
    seen = NoRead(device="portal", boot_ns=1)
    following = built(accepted.append).following
    following.accept(seen)
    following.advance()
    assert accepted == [seen]


def test_a_recording_of_long_ago_does_not_come_too_late():
    accepted = []
    following = built(accepted.append).following
    day_ns = 86_400 * 10**9
    for live, old in zip(reads("portal", day_ns), reads("old-day", -day_ns), strict=True):
        following.accept(live)
        following.accept(old)
    later = [
        TagRead(device=device, boot_ns=at_ns, epc=b"\x30", antenna=1)
        for device, at_ns in (("portal", day_ns + 60 * 10**9), ("old-day", -day_ns + 60 * 10**9))
    ]
    for each in later:
        following.accept(each)
    passages = [each for each in accepted if isinstance(each, BagPassage)]
    assert sorted(each.belt for each in passages) == ["b1", "b2"]


def test_each_driver_is_named_after_its_device():
    assert [driver.name for driver in built(lambda _: None).drivers] == ["portal", "old-day"]
