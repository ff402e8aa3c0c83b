"""Fixtures and builders for tests with providers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.providers.base.contract import BatchCall, Mail, Recipient
from tests.support.fake_provider import FakeProvider


@pytest.fixture
def fake_provider() -> Iterator[FakeProvider]:
    """Start a provider on loopback that accepts everything until a test sets a fault."""
    provider = FakeProvider().start()
    yield provider
    provider.stop()


def make_mail(**changes: object) -> Mail:
    """Return a mail that uses every kind of personal value once."""
    fields: dict[str, object] = {
        "subject": "Good news for __pv_t_first_name__",
        "html": '<p>Dear __pv_h_first_name__,</p><p><a href="__pv_u_unsubscribe__">Leave</a></p>',
        "text": "Dear __pv_t_first_name__,\n\nLeave: __pv_t_unsubscribe__\n",
        "from_name": "Open Door",
        "from_email": "news@news.example.org",
        "reply_to": "hello@example.org",
        "headers": {"List-Id": "Weekly <abc123.news.example.org>"},
        **changes,
    }
    return Mail(**fields)  # type: ignore[arg-type]


def make_recipient(delivery: int, *, address: str = "", name: str = "Reader", **more: str) -> Recipient:
    """Return a recipient with all values that ``make_mail`` uses."""
    url = f"https://example.org/u/token-{delivery}?list=1&from=mail"
    values = {
        "h_first_name": name,
        "t_first_name": name,
        "u_unsubscribe": url.replace("&", "&amp;"),
        "t_unsubscribe": url,
        **more,
    }
    return Recipient(delivery, address or f"person{delivery}@example.com", values)


def make_call(
    *people: Recipient, key: str = "batch-1", mail: Mail | None = None, issue: str = "weekly/12"
) -> BatchCall:
    """Return a batch of these recipients, or of three."""
    chosen = people or tuple(make_recipient(number) for number in (1, 2, 3))
    return BatchCall(key=key, issue=issue, variant="en-near-1", mail=mail or make_mail(), people=chosen)


def corpus(*parts: str) -> Path:
    """Return a file of the test corpora, or skip the test if they are not on this machine."""
    root = Path(os.environ.get("NEWSLETTER_CORPUS") or Path(__file__).resolve().parents[3] / "shared" / "data")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the test corpora are not on this machine: {path}")
    return path
