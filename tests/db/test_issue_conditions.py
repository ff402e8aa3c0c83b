"""Segments that ask about issues: who was sent one, who was not."""

from datetime import timedelta

import pytest

from newsletter.common.errors import BadRule
from newsletter.models import Batch, Delivery, DeliveryException, Issue, IssueRevision, Send, Variant
from subscribers.models import Subscriber
from subscribers.segments.compile import check_rule, compile_rule
from subscribers.segments.count import count_people
from subscribers.segments.labels import describe_rule
from subscribers.segments.registry import find_kind, register_condition
from tests.support.fixtures import NOW, add_subscribers, make_publication

pytestmark = pytest.mark.django_db

STATES = ("accepted", "partial", "rejected", "uncertain", "written_off", "pending")


def make_sent_issue(publication, *, number: int = 1, state: str = "sent") -> Issue:
    return Issue.objects.create(
        publication=publication,
        number=number,
        public_id=f"{publication.slug}{number}",
        state=state,
        made_at=NOW,
        subject=f"Subject {number}",
    )


def send_to(issue: Issue, people: list[Subscriber], *, state: str = "accepted") -> list[Delivery]:
    revision, _ = IssueRevision.objects.get_or_create(
        issue=issue, number=1, defaults={"sha256": "0" * 64, "content": {}, "made_at": NOW}
    )
    send, _ = Send.objects.get_or_create(
        issue=issue, defaults={"revision": revision, "sha256": "0" * 64, "provider": "outbox", "made_at": NOW}
    )
    seq = send.batches.count() + 1
    variant, _ = Variant.objects.get_or_create(
        issue=issue, revision=revision, key="v", defaults={"public_id": f"v{issue.pk}", "sha256": "0" * 64}
    )
    batch = Batch.objects.create(
        send=send, seq=seq, variant=variant, part=seq, size=len(people), state=state, key=f"{send.pk}-{seq}"
    )
    return Delivery.objects.bulk_create(
        Delivery(issue=issue, batch=batch, subscriber_id=one.pk, address_hash=bytes(one.address_hash)[:16])
        for one in people
    )


def selected(rule: dict) -> set[str]:
    people = Subscriber.objects.filter(compile_rule(rule)).values_list("email", flat=True)
    return {email.partition("@")[0].removeprefix("person") for email in people}


def test_was_sent_counts_everyone_who_may_have_the_issue() -> None:
    publication = make_publication()
    people = add_subscribers(publication, 10)
    issue = make_sent_issue(publication)
    for number, state in enumerate(STATES):
        send_to(issue, [people[number]], state=state)
    facts = [{"state": "rejected"}, {"state": "skipped"}, {"state": "uncertain"}]
    deliveries = send_to(issue, people[6:9])
    for delivery, fact in zip(deliveries, facts, strict=True):
        DeliveryException.objects.create(delivery=delivery, at=NOW, **fact)
    assert selected({"received": "weekly/1"}) == {"0", "1", "3", "4", "8"}
    assert selected({"not_received": "weekly/1"}) == {"2", "5", "6", "7", "9"}
    DeliveryException.objects.create(delivery=Delivery.objects.get(subscriber_id=people[0].pk), at=NOW, bounced_at=NOW)
    assert selected({"received": "weekly/1"}) == {"1", "3", "4", "8"}


def test_the_latest_is_the_newest_that_was_sent_and_of_that_publication() -> None:
    publication, other = make_publication(), make_publication(slug="other")
    people = add_subscribers(publication, 3)
    send_to(make_sent_issue(publication, number=1), people[:1])
    send_to(make_sent_issue(publication, number=2), people[1:2])
    make_sent_issue(publication, number=3, state="draft")
    send_to(make_sent_issue(other, number=9), people[2:])
    assert selected({"received": "weekly/latest"}) == {"1"}
    assert describe_rule({"received": "weekly/latest"}) == "was sent The weekly letter No. 2, the latest"
    assert describe_rule({"none": [{"not_received": "other/9"}]}) == "not was not sent The weekly letter No. 9"


def test_proofs_do_not_count() -> None:
    publication = make_publication()
    people = add_subscribers(publication, 1)
    issue = make_sent_issue(publication)
    send_to(issue, people)
    Delivery.objects.update(proof=True)
    assert count_people({"received": "weekly/1"}) == 0


def test_an_issue_without_kept_recipients_is_refused_in_a_rule() -> None:
    publication = make_publication()
    send_to(make_sent_issue(publication), add_subscribers(publication, 1))
    Send.objects.update(purged_at=NOW + timedelta(days=91))
    for rule in ({"received": "weekly/1"}, {"any": [{"not_received": "weekly/1"}]}):
        with pytest.raises(BadRule, match=r"was deleted\. Name a newer issue"):
            count_people(rule)


@pytest.mark.parametrize("name", ["weekly/7", "weekly/x", "weekly", "nothing/1", "weekly/latest", "weekly/" + "9" * 40])
def test_an_issue_that_is_not_there_is_named_with_the_newest(name: str) -> None:
    make_sent_issue(make_publication(), number=4, state="draft")
    with pytest.raises(BadRule, match=rf"rule.received: there is no issue “{name}”. The newest is weekly/4"):
        check_rule({"received": name})
    with pytest.raises(BadRule, match=r"rule\.received: there is no issue"):
        describe_rule({"received": name})


def test_without_any_issue_it_says_that_none_has_been_made() -> None:
    with pytest.raises(BadRule, match="None has been made yet"):
        check_rule({"received": "weekly/1"})


def test_the_desk_offers_latest_issues_first_then_all_issues() -> None:
    make_sent_issue(make_publication(), number=4)
    kind = find_kind("received")
    assert kind is not None
    assert kind.choices() == [
        ("weekly/latest", "The weekly letter: latest sent issue"),
        ("weekly/4", "The weekly letter No. 4: Subject 4"),
    ]
    with pytest.raises(ValueError, match="registered twice"):
        register_condition(kind)
