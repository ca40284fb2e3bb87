"""A real OTLP/HTTP receiver, which keeps what it is sent."""

import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Received:
    """Spans as they came; ``url`` is where to send them, ``status`` what they are answered with."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.status = 200
        self.requests = []
        self.raw = b""

    @property
    def spans(self):
        """Each span with its service's name."""
        return [
            (service(each), span)
            for request in self.requests
            for each in request.resource_spans
            for scope in each.scope_spans
            for span in scope.spans
        ]

    @property
    def resources(self):
        """What those say of themselves who sent spans, by their service's name."""
        told = [each for request in self.requests for each in request.resource_spans]
        return {service(each): attributes(each.resource) for each in told}

    def named(self, name):
        (found,) = [span for _, span in self.spans if span.name == name]
        return found


def service(resource_spans):
    return attributes(resource_spans.resource)["service.name"]


def attributes(told):
    """Of a span, or of a resource."""
    return {each.key: each.value.string_value or each.value.int_value for each in told.attributes}


@contextmanager
def receiving(port=0):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            if received.status == 200:
                received.raw += body
                received.requests.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(received.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        received = Received(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()
