"""The small parts that adapters share, where no call over a connection reaches their corners."""

import socket
from datetime import UTC, datetime

import pytest

from newsletter.providers.base.contract import ProviderResponse, Recipient
from newsletter.providers.base.deadline import Deadline
from newsletter.providers.base.errors import BadMail
from newsletter.providers.base.mail.addresses import split_by_valid_address
from newsletter.providers.base.mail.headers import format_mailbox
from newsletter.providers.base.mail.multipart import build_multipart
from newsletter.providers.base.responses import mask_provider_text, read_retry_after
from newsletter.providers.base.transport import CountingBody
from newsletter.providers.mailgun.variables import check_variables

NOW = datetime(2027, 3, 4, 9, 0, tzinfo=UTC)


def test_the_boundary_of_a_form_is_never_found_in_its_content() -> None:
    _, content_type = build_multipart([("a", b"x")], key="k")
    first = content_type.partition("boundary=")[2]
    body, content_type = build_multipart([("a", first.encode())], key="k")
    second = content_type.partition("boundary=")[2]
    assert second != first
    assert body.count(second.encode()) == 2


def test_a_content_that_holds_every_boundary_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.providers.base.mail.multipart._MAX_BOUNDARY_ATTEMPTS", 1)
    first = build_multipart([("a", b"x")], key="k")[1].partition("boundary=")[2]
    with pytest.raises(ValueError, match="no boundary"):
        build_multipart([("a", first.encode())], key="k")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Thu, 04 Mar 2027 09:01:00 -0000", 60.0),
        ("Thu, 04 Mar 2027 09:01:00 GMT", 60.0),
        ("Thu, 04 Mar 2027 08:00:00 GMT", 0.0),
        ("1.5", 1.5),
        ("-5", None),
        ("1e9", None),
    ],
)
def test_a_wait_is_read_from_a_number_or_a_date(header: str, seconds: float | None) -> None:
    assert read_retry_after(ProviderResponse(429, {"retry-after": header}, b""), now=NOW) == seconds


def test_a_quote_is_one_short_line() -> None:
    assert mask_provider_text("  a\r\n\tb\x00c  ") == "a b c"
    assert mask_provider_text("x" * 300) == "x" * 199 + "…"
    assert mask_provider_text("key=abc", secrets=("", "abc")) == "key=(key)"


def test_a_sender_without_a_name_is_only_an_address() -> None:
    assert format_mailbox("", "a@x.example") == "a@x.example"
    assert format_mailbox('A "B" \\', "a@x.example") == '"A \\"B\\" \\\\" <a@x.example>'


@pytest.mark.parametrize("declared", [set(), {"t_a", "t_b"}])
def test_variables_that_do_not_add_up_are_refused(declared: set[str]) -> None:
    with pytest.raises(BadMail, match="do not add up"):
        check_variables(["Hi %recipient.t_a%"], declared=declared)


def test_a_body_is_fully_written_only_when_more_is_asked_for() -> None:
    body = CountingBody(b"x" * 600_000)
    assert len(body.read(16_384)) + len(body.read(16_384)) == len(body) == 600_000
    assert body.is_fully_written is False
    assert body.read(16_384) == b""
    assert body.is_fully_written is True
    assert b"".join(CountingBody(b"abc")) == b"abc"


def test_a_connection_made_after_the_time_is_up_is_not_used() -> None:
    deadline = Deadline(seconds=60)
    deadline.has_passed = True
    with pytest.raises(TimeoutError):
        deadline.watch(object())


def test_a_deadline_on_a_connection_that_is_gone_already_is_quiet() -> None:
    class Gone:
        sock = socket.socket()

    Gone.sock.close()
    deadline = Deadline(seconds=60)
    deadline.watch(Gone())
    deadline.end()
    assert deadline.has_passed


def test_two_addresses_with_a_line_break_between_are_refused():
    people = [Recipient(1, "a@example.org\nb@example.org", {}), Recipient(2, "a@example.org", {})]
    good, refused = split_by_valid_address(people)
    assert [address for address, _ in good] == ["a@example.org"]
    assert list(refused) == [1]
