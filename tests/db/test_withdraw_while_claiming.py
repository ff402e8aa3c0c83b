"""A story is withdrawn while a worker claims the last batch that shows it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection

from newsletter.models import Batch, Send, Story
from newsletter.sending import mails_with_story
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.freezing.start import start_send
from newsletter.sending.withdraw_story import withdraw_story
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.meanwhile import run_meanwhile

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time."),
]


def test_a_withdrawal_is_kept_while_the_last_batch_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    publication = make_publication()
    story = make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    batch = Batch.objects.get()
    staff = User.objects.create_superuser("desk", "desk@example.org", "x")
    with ThreadPoolExecutor(1) as pool:
        claims = run_meanwhile(
            monkeypatch,
            mails_with_story,
            "explain_withdrawn",
            lambda: claim_batch(batch_id=batch.pk, provider="outbox", now=NOW),
            pool,
        )
        withdraw_story(story=story, by=staff, reason="", now=NOW)
        assert claims[0].result(timeout=20) is not None
    assert Story.objects.get().withdrawn_at
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING
