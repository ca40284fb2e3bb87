"""Who asks a hub for much at once, and is asked to slow down."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aerocast_simulator.hub_client import MOST_TRIES, HubClient, HubError


@contextmanager
def answering(*answers):
    """Answer requests with these, a status and its ``Retry-After``; with the last one for ever."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            status, wait = answers[min(len(asked), len(answers) - 1)]
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            if wait is not None:
                self.send_header("Retry-After", wait)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield HubClient(f"http://127.0.0.1:{server.server_address[1]}"), asked
        finally:
            server.shutdown()


async def test_who_is_asked_to_slow_down_asks_again_and_nothing_is_left_out():
    with answering((429, "0"), (429, "1"), (201, None)) as (hub, asked):
        assert await hub.post("/api/gateways", {"name": "g1"}) == {}
    assert asked == [{"name": "g1"}] * 3


@pytest.mark.parametrize(
    ("answer", "times"),
    [((429, "31"), 1), ((429, None), 1), ((429, "soon"), 1), ((503, "0"), 1), ((429, "0"), 10)],
)
async def test_who_is_refused_for_longer_or_for_good_hears_so(answer, times):
    assert MOST_TRIES == 10
    with answering(answer) as (hub, asked), pytest.raises(HubError) as refused:
        await hub.post("/auth/login", {"name": "x"})
    assert refused.value.status == answer[0]
    assert len(asked) == times
