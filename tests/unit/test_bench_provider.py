"""The imitation of a provider in `newsletter bench` answers for as many mails as a body has."""

import io
from typing import Any

import pytest

from newsletter.bench.provider import MAIL, _read_body


@pytest.mark.parametrize("size", [len(MAIL), len(MAIL) + 1, 64, 4096])
@pytest.mark.parametrize("mails", [0, 1, 500])
def test_a_mail_is_counted_once_wherever_the_pieces_of_a_body_end(size: int, mails: int) -> None:
    body = b"".join(b"x" * (number % 7) + MAIL for number in range(mails)) + b'"To'
    stream: Any = io.BufferedReader(io.BytesIO(body + b"the next request"))
    assert _read_body(stream, len(body), bytearray(size), count=True) == mails
    assert stream.read() == b"the next request"


def test_a_body_is_read_to_its_end_without_counting() -> None:
    stream: Any = io.BufferedReader(io.BytesIO(MAIL * 100 + b"next"))
    assert _read_body(stream, len(MAIL) * 100, bytearray(16), count=False) == 0
    assert stream.read() == b"next"
