"""What must hold after a run. The provider's ledger decides."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from django.apps import apps
from django.db.models import Exists, OuterRef

from newsletter.models import Correction, Delivery, Exclusion, Issue, Send, Slot, StaffNotice
from newsletter.sending.settling.receipt import make_receipt
from subscribers.models.queued_mails import REPEATED_AFTER
from tests.months.published import HALL, NEW_HALL, Published
from tests.months.readers import Readers
from tests.months.reports import Reports
from tests.support.fake_provider import FakeProvider

DAY, WEEK = timedelta(days=1), timedelta(days=7)
ONE_OF_REPEATED = Fraction(1, 1 + len(REPEATED_AFTER))
"""A single mail without a clear answer is sent again. A mail of an issue never is."""
WAIT_FOR_STAFF = (Send.State.NEEDS_ATTENTION, Send.State.PAUSED)


def check_sends() -> None:
    """Assert that each receipt adds up and nobody has two deliveries of an issue."""
    for send in Send.objects.all():
        receipt = make_receipt(send)
        assert receipt.candidates == receipt.recipients + sum(receipt.excluded.values()), f"{send} does not add up"
    double = Counter(Delivery.objects.values_list("issue_id", "address_hash"))
    assert max(double.values(), default=0) <= 1, "somebody has two deliveries of an issue"


def check_mails(provider: FakeProvider, readers: Readers, reports: Reports) -> None:
    """Assert that nobody got a mail twice, and nobody a newsletter after unsubscribing, a hard bounce or a complaint."""
    seen: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for entry in provider.accepted():
        if entry.form is None:
            continue
        for address in set(entry.recipients) - set(entry.refused):
            mail = entry.form.mail_for(address)
            seen[address, mail.subject, mail.text] += 1 if "List-ID" in mail.headers else ONE_OF_REPEATED
            _check_subscribed(address, mail.headers.get("List-ID", ""), at=entry.at, readers=readers)
            if "List-ID" in mail.headers and (stopped := reports.stopped.get(address)):
                mailed = datetime.fromtimestamp(entry.at, UTC)
                assert mailed <= stopped, f"{address} was reported on {stopped} and mailed on {mailed}"
    notices = Counter(StaffNotice.objects.values_list("subject", flat=True))
    for (address, subject, _text), count in seen.items():
        assert count <= max(1, notices[subject]), f"{address} got “{subject}” too often ({count})"


def check_events(provider: FakeProvider, published: Published) -> None:
    """Assert that no mail announces an event that was called off, or its old house, a day after the change."""
    for entry in provider.accepted():
        text = entry.form.mail_for(entry.recipients[0]).text if entry.form and entry.recipients else ""
        for number, moved in published.moved.items():
            late = datetime.fromtimestamp(entry.at, UTC) > moved + DAY
            shown = text.partition(f"Evening {number}\n")[2].partition("Evening ")[0]
            assert not late or HALL not in shown or NEW_HALL in shown, (
                f"call {entry.number} shows the old house: {shown}"
            )
        for number, cancelled in published.cancelled.items():
            late = datetime.fromtimestamp(entry.at, UTC) > cancelled + DAY
            told = not late or f"Evening {number}\n" not in text or "cancel" in text.lower()
            assert told, f"call {entry.number} announces Evening {number}, called off on {cancelled}"


def check_nobody_is_skipped(provider: FakeProvider, readers: Readers, reports: Reports) -> int:
    """Assert that everybody on the list at a send got the mail, except those whom its rows name. Return how many did.

    The rows of an old send are gone, so only the numbers of its receipt are left.
    """
    mailed, accepted = 0, _list_accepted(provider, readers)
    for send in Send.objects.filter(issue__kind=Issue.Kind.ISSUE, state=Send.State.SUBMITTED).select_related("issue"):
        slug, begun = send.issue.publication.slug, send.started_at or send.made_at
        on_list = {address for (address, of), at in readers.joined.items() if of == slug and at < begun}
        left = {address for (address, of), at in readers.gone.items() if of == slug and at <= begun}
        stopped = {address for address, at in reports.stopped.items() if at <= begun}
        # Whoever complained stays off the list with a new address.
        left |= {address for address in on_list if not stopped.isdisjoint(readers.list_names(address))}
        missing = on_list - left - accepted[send.issue.public_id]
        mailed += len(on_list - left - missing)
        if send.purged_at is None:
            skipped = missing - _list_left_out(send)
            assert not skipped, f"{send.issue} skipped {sorted(skipped)}, and no row says why"
        counted = sum(send.excluded.values())
        assert len(missing) <= counted, f"{send.issue} skipped {len(missing)} people; its receipt counts {counted}"
    return mailed


def check_mistakes(provider: FakeProvider, readers: Readers, reports: Reports) -> int:
    """Assert that the correction of a mistake went to exactly those who got it and may still be mailed. Return how many."""
    corrected, accepted = 0, _list_accepted(provider, readers)

    def list_people(addresses: Iterable[str]) -> set[str]:
        """Return their first addresses: somebody can change theirs between the mistake and the correction."""
        return {readers.list_names(address)[-1] for address in addresses}

    sends = Send.objects.filter(
        issue__correction__change_type=Correction.ChangeType.MISTAKE, state=Send.State.SUBMITTED
    )
    for send in sends.select_related("issue__correction__corrects"):
        slug, begun = send.issue.publication.slug, send.started_at or send.made_at
        corrects = send.issue.correction.corrects
        assert corrects is not None
        had_mistake, got = list_people(accepted[corrects.public_id]), list_people(accepted[send.issue.public_id])
        assert got <= had_mistake, f"{send.issue} went to {sorted(got - had_mistake)}, who never got the mistake"
        left = {address for (address, of), at in readers.gone.items() if of == slug and at <= begun}
        left |= {address for address, at in reports.stopped.items() if at <= begun}
        skipped = had_mistake - got - list_people(left | _list_left_out(send))
        assert not skipped, f"{send.issue} skipped {sorted(skipped)}, who got the mistake"
        corrected += len(got)
    return corrected


def _list_accepted(provider: FakeProvider, readers: Readers) -> dict[str, set[str]]:
    """Return the addresses to which mails with each tag were accepted, with the later addresses of the same people."""
    accepted: dict[str, set[str]] = defaultdict(set)
    for entry in provider.accepted():
        for tag in entry.form.mail_for(entry.recipients[0]).tags if entry.form and entry.recipients else ():
            got = set(entry.recipients) - set(entry.refused)
            accepted[tag].update(name for address in got for name in readers.list_names(address))
    return accepted


def _list_left_out(send: Send) -> set[str]:
    """Return the addresses that the send excluded when it began."""
    return set(Exclusion.objects.filter(send=send).values_list("subscriber__email", flat=True))


def _check_subscribed(address: str, list_id: str, *, at: float, readers: Readers) -> None:
    for (somebody, slug), gone in readers.gone.items():
        if somebody == address and slug in list_id:
            back = readers.joined[address, slug]
            mailed = datetime.fromtimestamp(at, UTC)
            assert mailed <= gone or gone < back <= mailed, f"{address} left on {gone} and was mailed on {mailed}"


def check_slots(*, start: datetime, end: datetime) -> dict[str, int]:
    """Assert that each week has its slot, and no issue is half sent unless staff decide. Return how many slots ended how."""
    waits_for_staff = Send.objects.filter(issue=OuterRef("pk"), state__in=WAIT_FOR_STAFF)
    half = Issue.objects.filter(~Exists(waits_for_staff), state=Issue.State.SENDING, due_at__lt=end - WEEK)
    assert not half.exists(), f"still sending: {[str(issue) for issue in half]}"
    for slug in ("weekly", "campaigns"):
        due = sorted(Slot.objects.filter(publication__slug=slug, kind=Slot.Kind.ISSUE).values_list("due_at", flat=True))
        gaps = [(a, b) for a, b in pairwise(due) if b - a > WEEK + timedelta(hours=1)]
        assert not gaps, f"{slug} has weeks without a slot: {gaps}"
    return dict(Counter(f"{slug} {kind} {state}" for slug, kind, state in _list_slots()))


def _list_slots() -> list[tuple[str, str, str]]:
    return list(Slot.objects.values_list("publication__slug", "kind", "state"))


def count_rows() -> dict[str, int]:
    """Return the number of rows of each table that has some."""
    counts = {model._meta.db_table: model._base_manager.count() for model in apps.get_models()}
    return {table: count for table, count in counts.items() if count}
