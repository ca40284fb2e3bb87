"""Our side of `bench_llrp.py`: decode reports from memory, or as the driver takes them over TCP."""

import asyncio
import json
import sys
import time

from aerocast_agent.drivers.llrp import LlrpReader
from aerocast_protocols.llrp.framing import MessageBuffer
from aerocast_protocols.llrp.tag_report import TagReportDecoder
from aerocast_protocols.observations.bags import TagRead
from aerocast_protocols.observations.every import Observation
from llrp_player import messages


def decode(kind: str, each: int) -> dict[str, float]:
    """Decode message by message, as the other side does."""
    stream = messages(kind, each)
    began_s = time.process_time()
    buffer, decoder, reports = MessageBuffer(), TagReportDecoder(), 0
    for received in stream:
        buffer.feed(received)
        for message in buffer.messages():
            reports += len(decoder.decode(message.body))
    return {"reports": reports, "cpu_s": time.process_time() - began_s}


async def session(port: int, expected: int) -> dict[str, float]:
    """Take the reports of one session."""
    count = 0
    began: tuple[float, float] | None = None
    ended = asyncio.get_running_loop().create_future()

    def accept(observation: Observation) -> None:
        nonlocal count, began
        if isinstance(observation, TagRead):
            began = began or (time.process_time(), time.monotonic())
            count += 1
            if count == expected:
                ended.set_result((time.process_time(), time.monotonic()))

    running = asyncio.create_task(LlrpReader("reader", "127.0.0.1", port).run(accept))
    await asyncio.wait([running, ended], timeout=60, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    if began is None or not ended.done():
        return {"reports": count, "cpu_s": 0, "wall_s": 0}
    cpu_s, wall_s = ended.result()
    return {"reports": count, "cpu_s": cpu_s - began[0], "wall_s": wall_s - began[1]}


if __name__ == "__main__":
    if sys.argv[1] == "decode":
        told = decode(sys.argv[2], int(sys.argv[3]))
    else:
        told = asyncio.run(session(int(sys.argv[2]), int(sys.argv[3])))
    print(json.dumps(told))
