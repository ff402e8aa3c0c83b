"""docs/reference/privacy.md states the periods that the program uses."""

from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.feedback import event_retention
from newsletter.sending.settling import retention as send_retention
from subscribers.confirmation_quota import CONFIRMATION_QUOTA_RETENTION
from subscribers.erasing import retention
from subscribers.importing.writing import import_steps as batches

pytestmark = [pytest.mark.requirement("P13")]

PAGE = (Path(__file__).parents[3] / "docs/reference/privacy.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("begins", "kept"),
    [
        ("address, name, town", retention.UNSUBSCRIBED_RETENTION),
        ("a sign-up that was not confirmed", retention.UNCONFIRMED_RETENTION),
        ("a sign-up that waits", retention.HELD_SIGNUP_RETENTION),
        ("links that were mailed", retention.MAILED_LINK_RETENTION),
        ("counts of sign-ups", retention.COUNTER_RETENTION),
        ("how often a mailbox", CONFIRMATION_QUOTA_RETENTION),
        ("an import's file", timedelta(days=batches.UPLOAD_RETENTION_DAYS)),
        ("an import's refused lines", timedelta(days=batches.UPLOAD_RETENTION_DAYS)),
        ("what the provider reports", event_retention.RETENTION),
        ("who was sent which issue", send_retention.RETENTION),
    ],
)
@pytest.mark.requirement("P8")
def test_the_page_names_the_very_days_that_each_thing_is_kept(begins: str, kept: timedelta) -> None:
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {begins}"))
    assert f"{kept.days} days" in row.rsplit("|", 2)[1]


@pytest.mark.requirement("P8")
def test_nothing_is_kept_longer_than_the_numbers_that_were_set() -> None:
    kept = [
        retention.UNCONFIRMED_RETENTION,
        retention.UNSUBSCRIBED_RETENTION,
        event_retention.RETENTION,
        send_retention.RETENTION,
    ]
    most = [timedelta(days=days) for days in (7, 28, 30, 396)]
    assert [one for one in zip(kept, most, strict=True) if one[0] > one[1]] == []
    assert batches.UPLOAD_RETENTION_DAYS <= 7
