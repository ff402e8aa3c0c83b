"""Freezes the audience: one INSERT…SELECT gives everybody who may be mailed now a delivery, a variant and a batch.

All steps read one audience snapshot, so that candidates = recipients + excluded.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

from django.db import connection, transaction

from newsletter.common.errors import InvariantViolated, NotReady
from newsletter.common.messages import Message, Quantity
from newsletter.issues.approval.approval_rules import require_enough_approvals
from newsletter.issues.approval.approve import require_approval
from newsletter.issues.approval.approved_audience import max_people_after_growth
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.issues.protected_terms.check import require_unprotected
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.related_links import require_unrestricted_links
from newsletter.issues.variants.audience_segment import name_audience
from newsletter.issues.variants.event_mentions import AlreadyCorrected, record_corrected_deliveries
from newsletter.issues.variants.recipient_groups import NO_EVENT_NEAR, add_unsubscribed_to_exclusions, find_groups
from newsletter.issues.variants.render import make_variants
from newsletter.issues.variants.story_checks import require_unrestricted_stories
from newsletter.models import Approval, Batch, Delivery, Issue, ReaderGroup, Send, Variant, transition
from newsletter.providers.base.contract import Capabilities, count_mail_bytes, count_variable_bytes
from newsletter.sending.build_call import prepare_variant
from newsletter.sending.freezing.audience_snapshot import count_snapshot, create_snapshot, write_deliveries
from newsletter.sending.limits.send_times import find_limit_today
from newsletter.sending.limits.split_batches import make_batch_key
from subscribers.audience.eligibility import AudienceCount, make_audience_count

MAX_FREEZE_ATTEMPTS = 5
SQLITE_CACHE = -64_000  # kB, by SQLite's sign
SORT_MEMORY = "64MB"
_LONG = "W" * 120
LONGEST_VALUES = {
    **dict.fromkeys(("name", "first_name", "city", "region"), (_LONG,)),
    **dict.fromkeys(("unsubscribe", "preferences"), ("https://" + _LONG,)),
}
_GROUP = ("place_id", "giving", "radius_km", "frequency", "variant_id")


def freeze_audience(*, send: Send, capabilities: Capabilities, now: datetime) -> None:
    """Freeze the audience of a preparing send; it is ready then.

    Raise NotApproved if the content is no longer the approved one. Raise AudienceChanged if the list or segment is not, or
    if many more people would get it. Raise SwitchedOff, or NotReady if nobody is left or the mail contains a protected term.
    """
    require_issue_enabled(send.issue)
    approval = require_approval(send.issue, now=now)
    content = IssueContent.from_json(approval.revision.content)
    require_unrestricted_stories(content, at=now)
    require_unrestricted_links(content, at=now)
    for _ in range(MAX_FREEZE_ATTEMPTS):
        done = False
        variants = make_variants(revision=approval.revision, groups=find_groups(send.issue, now=now), sent_at=now)
        newest_term = require_unprotected(issue=send.issue, content=content, mails=variants)
        max_batch = find_batch_size(variants, capabilities=capabilities)
        max_batch = min(max_batch, find_limit_today(send.issue.publication, now=now) or max_batch)
        with _enlarge_sqlite_cache(), suppress(AlreadyCorrected):
            done = _freeze(send=send, approval=approval, max_batch=max_batch, newest_term=newest_term, now=now)
        if done:
            _refresh_statistics()
            return
    raise NotReady(
        "The list of %(issue)s keeps changing while its audience is being frozen. Nothing was sent. Try again in a minute.",
        issue=send.issue,
    )


def find_batch_size(variants: Sequence[Variant], *, capabilities: Capabilities) -> int:
    """Return how many people fit into one call by number, by bytes, and by what a slow rate allows in an hour.

    Raise NotReady if not even one fits.
    """
    people = capabilities.max_batch
    if capabilities.people_per_second:
        people = min(people, max(int(capabilities.people_per_second * 3600), 1))
    for variant in variants:
        prepared = prepare_variant(variant)
        people = min(
            people,
            capabilities.count_people_per_call(
                mail_bytes=count_mail_bytes(prepared.mail),
                variable_bytes=count_variable_bytes(prepared.values(LONGEST_VALUES)[0]),
            ),
        )
    if people < 1:
        raise NotReady(
            "The issue is too big for %(name)s: not even one mail fits into a call. Nothing was sent. Shorten the issue.",
            name=capabilities.name,
        )
    return people


def _delete_replaced_variants(revision_id: int) -> None:
    """Delete the mails that nobody gets, because the day on which they are sent is not the day that they show."""
    mailed = Batch.objects.filter(variant__revision=revision_id).values("variant")
    Variant.objects.filter(revision=revision_id, groups__isnull=True).exclude(pk__in=mailed).delete()


@transaction.atomic
def _freeze(*, send: Send, approval: Approval, max_batch: int, newest_term: int, now: datetime) -> bool:
    """Try once. Return False and write nothing if somebody is now in a group that has no variant yet."""
    _set_repeatable_read()
    if not Send.objects.filter(pk=send.pk, state=Send.State.PREPARING).exists():
        return True
    with create_snapshot(send, now=now):
        counted, sizes = _count(issue=send.issue, revision_id=approval.revision_id)
        people = sum(size for _, size in sizes)
        if people < counted.eligible:
            return False
        if not people:
            raise NotReady(
                "Nobody on the list may be mailed: %(excluded)s.", excluded=_describe_excluded(counted.excluded)
            )
        _require_as_approved(send, approval=approval, people=people)
        _create_batches(send=send, sizes=sizes, max_batch=max_batch)
        written = write_deliveries(send, revision_id=approval.revision_id, max_batch=max_batch)
    _delete_replaced_variants(approval.revision_id)
    if written != people or counted.candidates != written + sum(counted.excluded.values()):
        raise InvariantViolated(
            "The audience of %(issue)s does not add up: %(counted)s but %(written)s deliveries. Nothing was sent. This is a "
            "defect: report it.",
            issue=send.issue,
            counted=counted,
            written=written,
        )
    if send.issue.kind == Issue.Kind.CORRECTION:
        record_corrected_deliveries(send.issue)
    is_ready = transition(
        send,
        from_states=[Send.State.PREPARING],
        to=Send.State.READY,
        revision=approval.revision,
        sha256=approval.sha256,
        candidates=counted.candidates,
        recipients=written,
        excluded=counted.excluded,
        audience=name_audience(send.issue),
        newest_term_searched=newest_term,
    )
    if not is_ready:
        raise InvariantViolated(
            "%(send)s changed its state while its audience was being frozen. Nothing was sent. Start it again.",
            send=send,
        )
    return True


def _require_as_approved(send: Send, *, approval: Approval, people: int) -> None:
    """Check once more, in the transaction that writes the deliveries, the switch, the approvals and the number of people."""
    issue = Issue.objects.select_related("publication__mailing_list", "publication__segment").get(pk=send.issue_id)
    require_issue_enabled(issue)
    require_enough_approvals(issue, sha256=approval.sha256, people=people)
    if send.confirmed_recipients is not None and people > max_people_after_growth(send.confirmed_recipients):
        raise NotReady(
            "%(issue)s was started for %(confirmed)s people and would go to %(people)s. Nothing was sent. Check who gets it, "
            "then start it again.",
            issue=issue,
            confirmed=Quantity(send.confirmed_recipients),
            people=Quantity(people),
        )


def _count(*, issue: Issue, revision_id: int) -> tuple[AudienceCount, list[tuple[int, int]]]:
    """Return the audience and (variant id, people) in a stable order. People for whom the issue is empty are excluded."""
    variants = {
        tuple(group): variant
        for *group, variant in ReaderGroup.objects.filter(revision=revision_id).values_list(*_GROUP)
    }
    sizes: Counter[int] = Counter()
    reasons: Counter[str] = Counter()
    for row in count_snapshot():
        group = (row.place_id, row.giving, row.radius_km, row.frequency)
        is_empty = not row.why and variants.get(group, 0) is None
        reasons[NO_EVENT_NEAR if is_empty else row.why] += row.people
        variant = None if row.why else variants.get(group)
        if variant is not None:
            sizes[variant] += row.people
    return add_unsubscribed_to_exclusions(issue, counted=make_audience_count(reasons)), sorted(sizes.items())


def _create_batches(*, send: Send, sizes: Sequence[tuple[int, int]], max_batch: int) -> None:
    batches: list[Batch] = []
    for variant, people in sizes:
        for part in range(math.ceil(people / max_batch)):
            size = min(max_batch, people - part * max_batch)
            batches.append(
                Batch(
                    send=send,
                    seq=len(batches) + 1,
                    variant_id=variant,
                    part=part,
                    size=size,
                    key=make_batch_key(send.pk, len(batches) + 1),
                )
            )
    Batch.objects.bulk_create(batches, batch_size=1000)


@contextmanager
def _enlarge_sqlite_cache() -> Iterator[None]:
    """Enlarge SQLite's cache of 2 MB: an unordered index of a million people would otherwise thrash the disk."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        [(usual,)] = cursor.execute("PRAGMA cache_size").fetchall()
        cursor.execute(f"PRAGMA cache_size = {SQLITE_CACHE}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA cache_size = {int(usual)}")
            cursor.execute("PRAGMA shrink_memory")


def _set_repeatable_read() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(f"SET LOCAL work_mem = '{SORT_MEMORY}'")


def _refresh_statistics() -> None:
    """Update PostgreSQL's statistics: it plans the send's queries badly until it knows the new rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {Delivery._meta.db_table}, {Batch._meta.db_table}")


def _describe_excluded(excluded: dict[str, int]) -> str:
    return ", ".join(f"{people} {reason}" for reason, people in excluded.items()) or Message("the list is empty")
