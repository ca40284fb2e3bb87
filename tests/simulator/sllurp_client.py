"""sllurp as a client of a reader, in a process of its own: prints what it is told as JSON lines.

``python sllurp_client.py PORT [SETTINGS]``, settings as JSON; it goes on until it is killed, for
its own way of taking leave sometimes waits for ever.
"""

import json
import sys

from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig


def plain(value):
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")  # sllurp gives hexadecimal digits as bytes
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def put(kind, told):
    sys.stdout.write(json.dumps({"kind": kind, "told": plain(told)}) + "\n")
    sys.stdout.flush()


def main():
    settings = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    client = LLRPReaderClient("127.0.0.1", int(sys.argv[1]), LLRPReaderConfig(settings))

    def reported(_reader, reports):
        for each in reports:
            put("tag", each)
        put("capabilities", client.llrp.capabilities)

    client.add_tag_report_callback(reported)
    client.add_event_callback(lambda _, event: put("event", event))
    client.add_disconnected_callback(lambda _: put("disconnected", None))
    client.connect()
    client.join(None)


if __name__ == "__main__":
    main()
