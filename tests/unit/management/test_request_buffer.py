"""A request is collected until nothing more is needed of its client, however it arrives."""

from collections.abc import Callable, Iterator

import pytest

from newsletter.management.request_buffer import MAX_HEADER_BYTES, RequestBuffer, Stage

POST = b"POST /join/weekly HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"


Collect = Callable[..., RequestBuffer]


@pytest.fixture
def collect() -> Iterator[Collect]:
    buffers = []

    def collect_parts(*parts: bytes, limit: Callable[[str], int] = lambda target: 100) -> RequestBuffer:
        buffers.append(RequestBuffer(body_limit=limit))
        for part in parts:
            buffers[-1].feed(part)
        return buffers[-1]

    yield collect_parts
    for buffer in buffers:
        buffer.close()


@pytest.mark.parametrize("cut", range(1, len(POST)))
def test_a_request_is_whole_wherever_it_was_cut(collect: Collect, cut: int) -> None:
    buffer = collect(POST[:cut], POST[cut:])
    assert buffer.stage is Stage.COMPLETE
    assert buffer.recv(1000) == POST
    assert buffer.recv(1000) == b""


@pytest.mark.parametrize("length", range(len(POST)))
def test_a_request_is_not_whole_before_its_last_byte(collect: Collect, length: int) -> None:
    assert collect(POST[:length]).stage is not Stage.COMPLETE


def test_bytes_after_a_request_are_kept_for_the_next(collect: Collect) -> None:
    buffer = collect(POST + b"GET / HTTP/1.1\r\n")
    assert buffer.recv(1000) == POST
    assert buffer.surplus == b"GET / HTTP/1.1\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 101",
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"transfer-encoding : chunked",
    ],
)
def test_a_body_that_no_page_would_read_is_not_waited_for(collect: Collect, headers: bytes) -> None:
    buffer = collect(b"POST / HTTP/1.1\r\n" + headers + b"\r\n\r\nhello")
    assert buffer.stage is Stage.COMPLETE
    assert buffer.body_left_out
    assert buffer.recv(1000).endswith(b"\r\n\r\n")
    assert buffer.surplus == b""


def test_endless_headers_are_handed_over_to_be_refused(collect: Collect) -> None:
    buffer = collect(b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEADER_BYTES)
    assert buffer.stage is Stage.COMPLETE
    assert buffer.body_left_out


def test_the_limit_of_a_body_goes_by_the_target(collect: Collect) -> None:
    asked: list[str] = []
    buffer = collect(POST, limit=lambda target: asked.append(target) or 10)  # type: ignore[func-returns-value]
    assert asked == ["/join/weekly"]
    assert buffer.body_length == 5
