"""Freeze the audience: one INSERT…SELECT gives everybody who may be mailed now a delivery, a variant and a batch.

All steps read one audience snapshot, so that candidates = recipients + excluded.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from newsletter.common.database.sqlite_pragmas import larger_sqlite_cache
from newsletter.common.errors import InvariantViolated, NotReady
from newsletter.common.messages import describe_people
from newsletter.issues.approval.approval_rules import require_enough_approvals
from newsletter.issues.approval.approve import require_approved_content
from newsletter.issues.approval.approved_audience import max_people_just_seen
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.issues.protected_terms.check import require_unprotected
from newsletter.issues.snapshot.consent_rules import require_unrestricted_stories
from newsletter.issues.snapshot.content_links import require_unrestricted_links
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.audience_rules import name_audience
from newsletter.issues.variants.count_recipients import add_unsubscribed_to_exclusions
from newsletter.issues.variants.dates import find_sent_day
from newsletter.issues.variants.event_mentions import AlreadyCorrected, record_corrected_deliveries
from newsletter.issues.variants.exclusion_labels import explain_nobody
from newsletter.issues.variants.reader_zones import LocalHour
from newsletter.issues.variants.recipient_groups import (
    GROUP_KEY,
    GroupVisibility,
    RecipientGroup,
    get_key_of_group,
    group_recipients,
    limit_versions,
)
from newsletter.issues.variants.store_variants import assign_variants, make_missing_variants
from newsletter.issues.variants.subject_assignment import WAITS
from newsletter.issues.variants.subject_test_rules import require_subject_test_possible
from newsletter.issues.variants.unreached import has_open_calls
from newsletter.models import Approval, Batch, Delivery, Exclusion, Issue, ReaderGroup, Send, Variant, transition
from newsletter.providers.base.contract import Capabilities
from newsletter.sending.freezing.audience_snapshot import (
    SnapshotCount,
    count_snapshot,
    create_snapshot,
    group_counts,
    write_deliveries,
    write_exclusions,
    write_first_parts,
    write_groups,
)
from newsletter.sending.freezing.move_deliveries import move_deliveries
from newsletter.sending.freezing.plan_batches import Share, find_batch_size, plan_batches
from newsletter.sending.limits.send_times import find_limit_today
from subscribers.audience.counting import AudienceCount, make_audience_count

MAX_FREEZE_ATTEMPTS = 5
SQLITE_CACHE_MB = 128
SORT_MEMORY = "64MB"
_GROUP = (*GROUP_KEY, "variant_id", "empty_reason")


def freeze_audience(*, send: Send, capabilities: Capabilities, now: datetime) -> None:
    """Freeze the audience of a preparing send; it is ready then.

    Raise NotApproved if the content is no longer the approved one. Raise AudienceChanged if the list or segment is not, or
    if many more people would get it. Raise SwitchedOff, or NotReady if nobody is left or the mail contains a protected term.
    """
    require_issue_enabled(send.issue)
    approval = require_approved_content(send.issue)
    content = IssueContent.from_json(approval.revision.content)
    require_unrestricted_stories(content, at=now)
    require_unrestricted_links(content, at=now)
    require_subject_test_possible(content, issue=send.issue, local_time=send.local_time)
    _make_mails_of_another_day(send, approval=approval, content=content, now=now)
    for _ in range(MAX_FREEZE_ATTEMPTS):
        variants = list(approval.revision.variants.all())
        newest_term = require_unprotected(issue=send.issue, content=content, mails=variants)
        max_batch = find_batch_size(variants, content=content, capabilities=capabilities)
        max_batch = min(max_batch, find_limit_today(send.issue.publication, now=now) or max_batch)
        try:
            with larger_sqlite_cache(megabytes=SQLITE_CACHE_MB):
                _freeze(
                    send=send, approval=approval, content=content, max_batch=max_batch, newest_term=newest_term, now=now
                )
        except _VariantsMissing as missing:
            make_missing_variants(
                revision=approval.revision,
                groups=missing.groups,
                sent_at=send.dated_at or now,
                visibility=missing.visibility,
            )
        except AlreadyCorrected:
            continue
        else:
            _refresh_statistics()
            return
    raise NotReady(
        "The list of %(issue)s keeps changing while its audience is being frozen. Nothing was sent. Try again in a minute.",
        issue=send.issue,
    )


def _make_mails_of_another_day(send: Send, *, approval: Approval, content: IssueContent, now: datetime) -> None:
    """Make the mails again if they show the day of the issue and are sent on another one.

    Without this, a freeze would read the whole audience to find that it has no mails of today, and then read it again.
    """
    sent_at = send.dated_at or now
    if find_sent_day(content, at=sent_at) is None or not _is_preparing(send):
        return
    groups, visibility = group_recipients(send.issue, content=content, now=now, at_once=not send.local_time)
    make_missing_variants(revision=approval.revision, groups=groups, sent_at=sent_at, visibility=visibility)


def _is_preparing(send: Send) -> bool:
    """Return True unless the audience was frozen by another process, or the send was cancelled."""
    return Send.objects.filter(pk=send.pk, state=Send.State.PREPARING).exists()


def _delete_replaced_variants(revision_id: int) -> None:
    """Delete the mails that nobody gets, because the day on which they are sent is not the day that they show."""
    mailed = Batch.objects.filter(variant__revision=revision_id).values("variant")
    Variant.objects.filter(revision=revision_id, groups__isnull=True).exclude(pk__in=mailed).delete()


class _VariantsMissing(Exception):
    """Somebody is now in a group whose variant is not made yet. Nothing was written."""

    def __init__(self, groups: list[RecipientGroup], visibility: GroupVisibility) -> None:
        self.groups, self.visibility = groups, visibility


class _FrozenAudience(NamedTuple):
    """The counts of an audience whose deliveries are written, their number, and the local hours of its batches."""

    counted: AudienceCount
    recipients: int
    hours: Sequence[LocalHour]


@transaction.atomic
def _freeze(
    *, send: Send, approval: Approval, content: IssueContent, max_batch: int, newest_term: int, now: datetime
) -> None:
    """Freeze the audience once. Raise _VariantsMissing if a variant must be made first: that is too slow for this transaction."""
    begin_freeze()
    if not _is_preparing(send):
        return
    audience = _write_audience(send, approval=approval, content=content, max_batch=max_batch, now=now)
    _delete_replaced_variants(approval.revision_id)
    if send.issue.kind == Issue.Kind.CORRECTION:
        record_corrected_deliveries(send.issue)
    is_ready = transition(
        send,
        from_states=[Send.State.PREPARING],
        to=Send.State.READY,
        revision=approval.revision,
        sha256=approval.sha256,
        candidates=audience.counted.candidates,
        recipients=audience.recipients,
        excluded=audience.counted.excluded,
        audience=name_audience(send.issue),
        newest_term_searched=newest_term,
        hours=[hour.to_json() for hour in audience.hours],
        checked_until=now if send.local_time or content.subject_test else None,
    )
    if not is_ready:
        raise InvariantViolated(
            "%(send)s changed its state while its audience was being frozen. Nothing was sent. Start it again.",
            send=send,
        )


def _write_audience(
    send: Send, *, approval: Approval, content: IssueContent, max_batch: int, now: datetime
) -> _FrozenAudience:
    """Write batches, deliveries and exclusions from one snapshot of the audience. They add up, or it raises InvariantViolated."""
    with create_snapshot(send, content=content, now=now) as constants:
        counts = count_snapshot(send, constants=constants)
        groups, visibility = limit_versions(group_counts(counts), content=content)
        if not assign_variants(
            revision=approval.revision, groups=groups, sent_at=send.dated_at or now, visibility=visibility
        ):
            raise _VariantsMissing(groups, visibility)
        counted, shares = count_shares(send, counts=counts, revision_id=approval.revision_id)
        people = sum(share.people for share in shares)
        if not people:
            raise NotReady(explain_nobody(send.issue, counted=counted))
        _require_as_approved(send, approval=approval, people=people)
        plan = plan_batches(shares, send=send, max_batch=max_batch)
        Batch.objects.bulk_create(plan.batches, batch_size=1000)
        write_first_parts(plan.first_parts)
        write_groups(revision_id=approval.revision_id, constants=constants)
        excluded = write_exclusions(send, constants=constants)
        written = _place_people(send, constants=constants, max_batch=max_batch)
    if written != people or excluded != counted.candidates - written or excluded != sum(counted.excluded.values()):
        raise InvariantViolated(
            "The audience of %(issue)s does not add up: %(counted)s but %(written)s deliveries and %(excluded)s exclusions. "
            "Nothing was sent. This is a defect: report it.",
            issue=send.issue,
            counted=counted,
            written=written,
            excluded=excluded,
        )
    return _FrozenAudience(counted, written, plan.hours)


def _place_people(send: Send, *, constants: Mapping[str, int | str], max_batch: int) -> int:
    """Write a delivery for each person, or take over those of the cancelled send that this issue completes."""
    completes = send.issue.completes_id
    if completes is None:
        return write_deliveries(send, constants=constants, max_batch=max_batch)
    if has_open_calls(completes):
        raise NotReady("A call of the cancelled send has no result yet. Nothing was sent. Try again in a minute.")
    return move_deliveries(send, completes=completes, constants=constants, max_batch=max_batch)


def _require_as_approved(send: Send, *, approval: Approval, people: int) -> None:
    """Check the switch, the approvals and the number of people again, in the transaction that writes the deliveries."""
    issue = Issue.objects.select_related("publication__mailing_list", "publication__segment").get(pk=send.issue_id)
    require_issue_enabled(issue)
    require_enough_approvals(issue, sha256=approval.sha256, people=people)
    if send.confirmed_recipients is not None and people > max_people_just_seen(send.confirmed_recipients):
        raise NotReady(
            "%(issue)s was started for %(confirmed)s and would go to %(people)s. Nothing was sent. Check who gets it, "
            "then start it again.",
            issue=issue,
            confirmed=describe_people(send.confirmed_recipients),
            people=describe_people(people),
        )


def count_shares(send: Send, *, counts: Iterable[SnapshotCount], revision_id: int) -> tuple[AudienceCount, list[Share]]:
    """Return the audience and its shares in a stable order. People for whom the issue is empty are excluded."""
    variants: dict[tuple[object, ...], tuple[int | None, str]] = {
        tuple(group): (variant, empty_reason)
        for *group, variant, empty_reason in ReaderGroup.objects.filter(revision=revision_id).values_list(*_GROUP)
    }
    waiting = {variant for group, (variant, _reason) in variants.items() if group[-1] == WAITS}
    sizes: Counter[tuple[int, str]] = Counter()
    reasons: Counter[str] = Counter()
    for row in counts:
        variant, empty_reason = (None, "") if row.why else variants.get(get_key_of_group(row), (None, ""))
        reasons[row.why or empty_reason] += row.people
        if variant is not None:
            sizes[variant, row.zone] += row.people
    counted = add_unsubscribed_to_exclusions(send.issue, counted=make_audience_count(reasons))
    return counted, [
        Share(variant, zone, people, waits=variant in waiting) for (variant, zone), people in sorted(sizes.items())
    ]


def begin_freeze() -> None:
    """Begin the transaction of a freeze: it reads one state of the data, and no other freeze runs at the same time."""
    _set_repeatable_read()
    _wait_for_other_freezes()


def _set_repeatable_read() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(f"SET LOCAL work_mem = '{SORT_MEMORY}'")


def _wait_for_other_freezes() -> None:
    """Freeze one audience at a time: two issues that are frozen together could both give a person the same story.

    SQLite has one writer anyway. On PostgreSQL, this lock stops no reader and no writer, and begins no snapshot of the data.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {ReaderGroup._meta.db_table} IN SHARE UPDATE EXCLUSIVE MODE")


def _refresh_statistics() -> None:
    """Update PostgreSQL's statistics: it plans the send's queries badly until it knows the new rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            tables = (Delivery._meta.db_table, Batch._meta.db_table, Exclusion._meta.db_table)
            cursor.execute(f"ANALYZE {', '.join(tables)}")
