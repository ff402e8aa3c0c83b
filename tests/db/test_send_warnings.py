"""Staff are warned before a send pauses, and each mailbox domain is counted separately."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import CharField, Value
from django.db.models.functions import Concat, Upper

from newsletter.feedback.automatic_pause import pause_failing_sends
from newsletter.feedback.reported_deliveries import count_by_account, find_unreported_batches
from newsletter.feedback.send_warnings import DomainComplaints, check_recent_sends, count_domain_complaints
from newsletter.jobs.notices.about_sends import notify_send_warnings
from newsletter.models import Batch, Delivery, DeliveryException, Send, StaffNotice
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.settling.delivered_bitmap import SPAN, DeliveredBits, Handover, mark_delivered
from subscribers.models import Subscriber
from tests.support.feedback_reports import apply_reports, brevo_event, deliveries_of, make_send
from tests.support.fixtures import NOW

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _large_batches(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=500"


def keys() -> list[str]:
    return sorted(worry.key.rpartition("-")[0] for worry in check_recent_sends(now=LATER))


def go_on(send: Send) -> None:
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING, reason="")
    AutomaticPause.objects.all().delete()


def spread_over_domains(send: Send, **shares: int) -> None:
    """Give the first people addresses at the first domain, and so on."""
    subscribers = [each.subscriber_id for each in deliveries_of(send)]
    for name, count in shares.items():
        for pk in subscribers[:count]:
            Subscriber.objects.filter(pk=pk).update(email=f"reader{pk}@{name}.example")
        subscribers = subscribers[count:]


@pytest.mark.requirement("B3")
def test_staff_are_warned_of_hard_bounces_before_the_send_pauses() -> None:
    """2 %."""
    send = make_send(recipients=250)
    dead = [brevo_event("hard_bounce", each, reason="550 5.1.1 unknown") for each in deliveries_of(send)[:5]]
    apply_reports(*dead[:4])
    assert keys() == []
    apply_reports(dead[4])
    assert keys() == ["bounces"]
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING


@pytest.mark.requirement("B2")
def test_staff_are_warned_of_complaints_once_with_numbers() -> None:
    """0.08 %."""
    send = make_send(recipients=1500)
    apply_reports(*(brevo_event("delivered", each) for each in deliveries_of(send)))
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:3]))
    for _ in range(2):
        notify_send_warnings(now=LATER)
    told = {notice.subject: notice.paragraphs[0] for notice in StaffNotice.objects.all()}
    assert set(told) == {
        "The weekly letter No. 1: recipients report it as spam",
        "The weekly letter: spam reports at example.com",
    }
    assert (
        "3 of 1,500 recipients reported it as spam (0.20 %)"
        in told["The weekly letter No. 1: recipients report it as spam"]
    )


@pytest.mark.requirement("B2")
def test_complaints_at_one_mailbox_domain_pause_a_good_send() -> None:
    """Three of twelve there, of sixty in all."""
    send = make_send(recipients=60)
    apply_reports(*(brevo_event("delivered", each) for each in deliveries_of(send)))
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:3]))
    spread_over_domains(send, strict=12, mild=48)
    go_on(send)
    found = count_domain_complaints(send.issue.publication, now=LATER)
    assert [(each.name, each.complained, each.delivered) for each in found] == [("strict.example", 3, 12)]
    check_recent_sends(now=LATER)
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "3 of 12 recipients at strict.example" in send.reason
    assert AutomaticPause.objects.get().rule == "domain"


def test_a_send_resumed_despite_a_domain_pauses_at_twice_as_many() -> None:
    send = make_send(recipients=60)
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:3]))
    go_on(send)
    check_recent_sends(now=LATER)
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING)
    check_recent_sends(now=LATER)
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING


def test_accepted_mails_count_if_no_delivery_is_reported() -> None:
    """Four of two thousand are no reason to stop. Someone whose mail was refused is not one of the two thousand."""
    send = make_send(recipients=2_001)
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:4]))
    refused = deliveries_of(send)[5]
    DeliveryException.objects.create(delivery_id=refused.pk, state=DeliveryException.State.REJECTED, at=NOW)
    Subscriber.objects.update(email=Concat("pk", Value("@large.example"), output_field=CharField()))
    go_on(send)
    (found,) = count_domain_complaints(send.issue.publication, now=LATER)
    assert found == DomainComplaints("large.example", 4, 2_000)
    check_recent_sends(now=LATER)
    send.refresh_from_db()
    assert (send.state, send.reason) == (Send.State.SUBMITTING, "")


def test_a_send_with_reported_deliveries_counts_only_those() -> None:
    send = make_send(recipients=20)
    apply_reports(*(brevo_event("delivered", each) for each in deliveries_of(send)[:7]))
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:3]))
    Subscriber.objects.update(email=Concat("pk", Value("@large.example"), output_field=CharField()))
    (found,) = count_domain_complaints(send.issue.publication, now=LATER)
    assert found == DomainComplaints("large.example", 3, 7)


def test_one_report_of_a_delivery_does_not_hide_the_accepted_mails() -> None:
    """Reports can be set up in the middle of a send."""
    send = make_send(recipients=2_001)
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:4]))
    apply_reports(brevo_event("delivered", deliveries_of(send)[0]))
    Subscriber.objects.update(email=Concat("pk", Value("@large.example"), output_field=CharField()))
    go_on(send)
    (found,) = count_domain_complaints(send.issue.publication, now=LATER)
    assert found == DomainComplaints("large.example", 4, 2_001)
    assert pause_failing_sends(send_ids=[send.pk], now=LATER) == []
    check_recent_sends(now=LATER)
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING


def test_an_account_without_delivery_reports_counts_its_accepted_mails() -> None:
    """The other account of the same send reports 500 deliveries."""
    send = make_send(recipients=2_500)
    first, *others = send.batches.order_by("pk")
    apply_reports(*(brevo_event("delivered", each) for each in first.deliveries.all()))
    Batch.objects.filter(pk__in=[batch.pk for batch in others]).update(account="backup", handed_to="backup")
    apply_reports(*(brevo_event("spam", each) for each in others[0].deliveries.all()[:4]))
    Subscriber.objects.update(email=Concat("pk", Value("@large.example"), output_field=CharField()))
    go_on(send)
    (found,) = count_domain_complaints(send.issue.publication, now=LATER)
    assert found == DomainComplaints("large.example", 4, 2_500)
    assert pause_failing_sends(send_ids=[send.pk], now=LATER) == []


@pytest.mark.parametrize(("reported", "people"), [((3, 4), 2_500), ((0, 1), 1_000), ((0, 4), 2_500)])
def test_batches_from_before_reports_were_set_up_count_as_accepted(reported: tuple[int, int], people: int) -> None:
    """If no later batch was reported either, reports may only be late: then those that came decide."""
    send = make_send(recipients=2_500)
    batches = list(send.batches.order_by("pk"))
    for number, batch in enumerate(batches):
        Batch.objects.filter(pk=batch.pk).update(settled_at=NOW + timedelta(minutes=number))
    for number in reported:
        apply_reports(*(brevo_event("delivered", each) for each in batches[number].deliveries.all()))
    complaining = batches[reported[0]].deliveries.order_by("-pk")[:4]
    apply_reports(*(brevo_event("spam", each) for each in complaining))
    Subscriber.objects.update(email=Concat("pk", Value("@large.example"), output_field=CharField()))
    go_on(send)
    (found,) = count_domain_complaints(send.issue.publication, now=LATER)
    assert found == DomainComplaints("large.example", 4, people)
    paused = pause_failing_sends(send_ids=[send.pk], now=LATER)
    assert [each.pk for each in paused] == ([send.pk] if people == 1_000 else [])


@pytest.mark.postgres
def test_reports_of_one_batch_do_not_count_for_another_among_its_ids() -> None:
    """People who are tried again, or whose mails move to a completing issue, leave the order of ids."""
    send = make_send(recipients=2_500)
    batches = list(send.batches.order_by("pk"))
    early, late = batches[0], batches[3]
    swapped = [list(batch.deliveries.order_by("pk").values_list("pk", flat=True))[::2] for batch in (early, late)]
    for ids, batch in zip(swapped, (late, early), strict=True):
        Delivery.objects.filter(pk__in=ids).update(batch=batch)
    for number, batch in enumerate(batches):
        Batch.objects.filter(pk=batch.pk).update(settled_at=NOW + timedelta(minutes=number))
    apply_reports(*(brevo_event("delivered", each) for each in late.deliveries.all()))
    found = find_unreported_batches(count_by_account([send.pk]))
    assert found == {batch.pk: 500 for batch in batches[:3]}


def test_delivered_mails_are_counted_over_the_parts_that_hold_them() -> None:
    send = make_send(recipients=1)
    ids = [SPAN - 2, SPAN - 1, SPAN, 2 * SPAN - 1, 2 * SPAN, 3 * SPAN + 7]
    mark_delivered({number: Handover(send.pk, account) for number, account in zip(ids, "ababab", strict=True)}, at=NOW)
    bits = DeliveredBits(send)
    counted = [
        bits.count_between(first, last) for first in range(SPAN - 3, SPAN + 2) for last in (first, 2 * SPAN, ids[-1])
    ]
    expected = [
        sum(first <= number <= last for number in ids)
        for first in range(SPAN - 3, SPAN + 2)
        for last in (first, 2 * SPAN, ids[-1])
    ]
    assert counted == expected


def test_all_domains_are_counted_in_one_reading(django_assert_max_num_queries: Any) -> None:
    send = make_send(recipients=40)
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)))
    spread_over_domains(send, **{f"domain{number}": 4 for number in range(10)})
    with django_assert_max_num_queries(8):
        found = count_domain_complaints(send.issue.publication, now=LATER)
    assert [(each.complained, each.delivered) for each in found] == [(4, 4)] * 10


def test_old_complaints_and_two_at_a_domain_do_not_count() -> None:
    send = make_send(recipients=20)
    told = [*deliveries_of(send)[:2], *deliveries_of(send)[10:12]]
    apply_reports(*(brevo_event("spam", each) for each in told))
    spread_over_domains(send, one=10, two=10)
    assert count_domain_complaints(send.issue.publication, now=LATER) == []
    go_on(send)
    assert check_recent_sends(now=NOW + timedelta(days=8)) == []


def test_a_good_send_causes_no_warning() -> None:
    apply_reports(*(brevo_event("delivered", each) for each in deliveries_of(make_send(recipients=20))))
    assert check_recent_sends(now=LATER) == []


def test_domains_are_counted_over_all_sends_and_without_regard_to_case() -> None:
    send = make_send(recipients=8)
    apply_reports(*(brevo_event("delivered", each) for each in deliveries_of(send)))
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:3]))
    spread_over_domains(send, strict=4, other=4)
    Subscriber.objects.filter(email__endswith="strict.example").update(email=Upper("email"))
    (found,) = count_domain_complaints(send.issue.publication, now=LATER)
    assert found == DomainComplaints("strict.example", 3, 4)


def test_no_more_mails_are_counted_than_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.feedback.send_warnings.WARN_COMPLAINT_SHARE", 0.5)
    send = make_send(recipients=20)
    apply_reports(*(brevo_event("delivered", each) for each in deliveries_of(send)))
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:3]))
    (found,) = count_domain_complaints(send.issue.publication, now=LATER)
    assert (found.complained, found.delivered) == (3, 7)
    go_on(send)
    assert not any(key.startswith("domain") for key in keys())
