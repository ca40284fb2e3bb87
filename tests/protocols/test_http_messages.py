"""HTTP as readers speak it (RFC 9112): the same bodies however the bytes arrive."""

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.http_messages import LARGEST_REQUEST, RequestBuffer, ResponseBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n7;name=value\r\n, world\r\n0\r\nExpires: never\r\n\r\n"
)
SIZED = b"HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nthere"
ENDLESS = b"HTTP/1.0 200\r\n\r\nuntil the end"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n" + SIZED
EXPECTED = {
    CHUNKED: (200, b"hello, world", True),
    SIZED: (404, b"there", True),
    ENDLESS: (200, b"until the end", False),
    EMPTY: (204, b"", True),
    INTERIM: (404, b"there", True),
}


def taken(pieces):
    response = ResponseBuffer()
    body = b""
    for piece in pieces:
        response.feed(piece)
        body += response.body()
    return response, body


@pytest.mark.parametrize("raw", EXPECTED)
def test_whole_bytewise_and_trailing_input_give_the_same_body(raw):
    status, body, is_complete = EXPECTED[raw]
    for pieces in ([raw], [bytes([byte]) for byte in raw]):
        response, got = taken(pieces)
        assert (response.head.status, got, response.is_complete) == (status, body, is_complete)
        assert response.lasts_until_close is (raw is ENDLESS)
    if is_complete:
        response, got = taken([raw + b"HTTP/1.1 500"])
        assert (got, response.is_complete) == (body, True)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_any_chunks_come_back_in_pieces_of_any_size(chunks, size):
    body = b"".join(b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n" + body + b"0\r\n\r\n"
    response, got = taken([raw[at : at + size] for at in range(0, len(raw), size)])
    assert got == b"".join(chunks)
    assert response.is_complete


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 999 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 300,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(raw):
    with pytest.raises(ProtocolError, match="HTTP"):
        taken([raw])


@given(st.binary(max_size=200), st.sampled_from(sorted(EXPECTED)), st.integers(0, 200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_a_response_or_refused(noise, raw, cut):
    for stream in (noise, raw[:cut] + noise):
        try:
            response, body = taken([stream])
        except ProtocolError:
            continue
        assert len(body) <= len(stream)
        assert response.head is None or 200 <= response.head.status < 600


POSTS = (
    b"POST /tags HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"
    b"POST /tags HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n0\r\n\r\n"
    b"GET / HTTP/1.0\r\n\r\n"
)


def asked(pieces):
    buffer = RequestBuffer()
    requests = []
    for piece in pieces:
        buffer.feed(piece)
        requests += buffer.requests()
    return requests


def test_requests_come_out_whole_however_the_bytes_arrive():
    whole = asked([POSTS])
    assert [(each.method, each.path, each.body) for each in whole] == [
        ("POST", "/tags", b"[]"),
        ("POST", "/tags", b"{}\n"),
        ("GET", "/", b""),
    ]
    assert asked([bytes([byte]) for byte in POSTS]) == whole
    assert asked([POSTS + b"POST /ta"]) == whole


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n\r\n",
        b"POST tags HTTP/1.1\r\n\r\n",
        b"POST /tags HTTP/2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n" + bytes(LARGEST_REQUEST + 1),
        b"POST / HTTP/1.1\r\nX: " + b"x" * 20_000,
    ],
)
def test_what_is_no_request_is_refused(raw):
    with pytest.raises(ProtocolError, match="HTTP"):
        asked([raw])


@given(st.binary(max_size=200), st.integers(0, 200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_requests_or_refused(noise, cut):
    for stream in (noise, POSTS[:cut] + noise):
        try:
            requests = asked([stream])
        except ProtocolError:
            continue
        assert sum(len(each.body) for each in requests) <= len(stream)
