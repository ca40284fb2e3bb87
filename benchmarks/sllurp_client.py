"""sllurp's side of `bench_llrp.py`, in a process of its own."""

import json
import logging
import sys
import threading
import time

from llrp_player import messages
from sllurp.llrp import LLRPMessage, LLRPReaderClient, LLRPReaderConfig


def decode(kind: str, each: int) -> dict[str, float]:
    """Decode message by message."""
    stream = messages(kind, each)
    began_s = time.process_time()
    reports = 0
    for received in stream:
        message = LLRPMessage(msgbytes=received).msgdict
        reports += len(message["RO_ACCESS_REPORT"]["TagReportData"])
    return {"reports": reports, "cpu_s": time.process_time() - began_s}


def session(port: int, expected: int) -> dict[str, float]:
    """Take the reports of one session."""
    count = 0
    began: tuple[float, float] | None = None
    at_end = (0.0, 0.0)
    ended = threading.Event()

    def told(_reader: LLRPReaderClient, reports: list[object]) -> None:
        nonlocal count, began, at_end
        began = began or (time.process_time(), time.monotonic())
        count += len(reports)
        if count >= expected:
            at_end = time.process_time(), time.monotonic()
            ended.set()

    client = LLRPReaderClient("127.0.0.1", port, LLRPReaderConfig({"antennas": [0]}))
    client.add_tag_report_callback(told)
    client.connect()
    ended.wait(60)
    client.hard_disconnect()
    if began is None:
        return {"reports": count, "cpu_s": 0, "wall_s": 0}
    return {"reports": count, "cpu_s": at_end[0] - began[0], "wall_s": at_end[1] - began[1]}


if __name__ == "__main__":
    logging.disable()  # it warns of every message that a read cuts in two
    if sys.argv[1] == "decode":
        figures = decode(sys.argv[2], int(sys.argv[3]))
    else:
        figures = session(int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps(figures))
