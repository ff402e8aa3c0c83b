"""An event that changed, announced to exactly those who were told of it otherwise. Nothing here sends.

It may have moved, been cancelled, or take place after all. Who was told what is looked up in `told`.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html import escape
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext as _

from newsletter.common.errors import NotAllowed, NotReady, WrongState
from newsletter.issues.approval.approve import withdraw_approvals
from newsletter.issues.approval.publication_switches import require_publication_enabled
from newsletter.issues.assembly.assemble import next_number, save_assembled_content
from newsletter.issues.snapshot.plain_text import escape_merge_fields, shorten
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.snapshot.resolve_blocks import resolve_event
from newsletter.issues.variants.dates import format_event_time, get_babel_locale
from newsletter.issues.variants.event_location import describe_event_location
from newsletter.issues.variants.event_mentions import EventMention, find_event_mentions, find_misinforming_deliveries
from newsletter.issues.variants.reader_texts import reader_text
from newsletter.models import Correction, Delivery, EventNotice, Issue, Publication, Send, move

_WAITING = (Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.APPROVED)


@dataclass(frozen=True)
class MisinformedGroup:
    """People whom a publication told of an event otherwise than it is now.

    ``was`` is the event as they were told last, ``now`` as it is. ``correction`` is the one that announces it, made already.
    ``mixed``: it takes place after all, and only some of them were told that it is cancelled. ``before`` is the correction
    that told others the same, where it did not reach these.
    """

    publication: Publication
    what: str
    people: int
    was: EventRecord
    now: EventRecord
    correction: Correction | None
    mixed: bool = False
    before: Correction | None = None

    @property
    def when(self) -> str:
        """Day and hour as they were told, in the publication's language."""
        return self._when(self.was)

    @property
    def when_now(self) -> str:
        return self._when(self.now)

    @property
    def where(self) -> str:
        """The place as they were told."""
        return describe_event_location(self.was, language=self.publication.language)

    @property
    def where_now(self) -> str:
        return describe_event_location(self.now, language=self.publication.language)

    def _when(self, event: EventRecord) -> str:
        return format_event_time(
            event, locale=get_babel_locale(self.publication.language), default_zone=self.publication.zone
        )


def find_misinformed(event: EventNotice, *, now: datetime) -> list[MisinformedGroup]:
    """Of each publication that told somebody of the event otherwise. Nobody is misinformed by an event that is over."""
    mentions = find_event_mentions(event.pk)
    publications = Publication.objects.filter(pk__in={one.publication_id for one in mentions}).order_by("pk")
    found = (
        _find_misinformed_group(publication, event, mentions=mentions, now=now)
        for publication in publications.select_related("brand", "mailing_list")
    )
    return [one for one in found if one is not None]


def find_obsolete_corrections(event: EventNotice) -> list[Correction]:
    """Corrections that have not gone out, and need not: they say what is no longer so, or others told everybody."""
    waiting = Correction.objects.filter(event=event, issue__state__in=_WAITING).select_related("issue__publication")
    now_is = fingerprint_event(event)
    return [
        one
        for one in waiting.order_by("pk")
        if one.fingerprint != now_is or not find_misinforming_deliveries(one).exists()
    ]


def announce_change(*, event: EventNotice, publication: Publication, by: Any, now: datetime) -> Issue:
    """The draft of a correction; the one that is there where it is announced already. One that says otherwise is taken back.

    Raises NotAllowed, NotReady where nobody was told otherwise, WrongState where another one is on its way, SwitchedOff.
    """
    _require_permission(by)
    require_publication_enabled(publication)
    turn = (_find_corrections(publication, event).aggregate(last=Max("turn"))["last"] or 0) + 1
    misinformed = _find_misinformed_group(publication, event, mentions=find_event_mentions(event.pk), now=now)
    if misinformed is None and _is_over(event, now):
        raise NotReady(_("“%(title)s” is over: there is nothing to announce.") % {"title": event.title})
    if misinformed is None:
        raise NotReady(
            _("%(name)s showed nobody “%(title)s” otherwise than it is now: there is nothing to correct.")
            % {"name": publication.name, "title": event.title}
        )
    if misinformed.correction is not None:
        return misinformed.correction.issue
    try:
        with transaction.atomic():
            _cancel_outdated_corrections(publication, event, by=by, now=now)
            return _make_correction(misinformed, event=event, turn=turn, by=by, now=now)
    except IntegrityError:
        made = _find_current_correction(publication, event)
        if made is None:
            raise
        return made.issue


def take_back(*, correction: Correction, by: Any, now: datetime) -> None:
    """Cancel a correction that has not gone out. Raises NotAllowed, WrongState where it is on its way or gone."""
    _require_permission(by)
    issue = correction.issue
    with transaction.atomic():
        live = issue.sends.exclude(state=Send.State.CANCELLED).exists()
        withdraw_approvals(issue=issue, now=now)
        if live or not move(issue, of=_WAITING, to=Issue.State.CANCELLED):
            raise WrongState(
                _(
                    "%(issue)s is on its way, or went out, and says otherwise. Cancel its send, or wait until it is over."
                )
                % {"issue": issue}
            )


def fingerprint_event(event: EventNotice) -> str:
    """The fingerprint of an event as its row is now."""
    return resolve_event(event).fingerprint()


def _find_misinformed_group(
    publication: Publication, event: EventNotice, *, mentions: list[EventMention], now: datetime
) -> MisinformedGroup | None:
    known = newest = _find_current_correction(publication, event)
    if newest is not None and newest.issue.state == Issue.State.SENT:
        anew = Correction(publication=publication, event=event, fingerprint=newest.fingerprint)
        known = None if find_misinforming_deliveries(anew, mentions=mentions).exists() else newest
    looked_for = known or Correction(publication=publication, event=event, fingerprint=fingerprint_event(event))
    heard = _count_people_by_last_mention(find_misinforming_deliveries(looked_for, mentions=mentions), mentions)
    if not heard:
        return None
    untrue = {one: people for one, people in heard.items() if one.cancelled}
    was = _find_mentioned_event(next(iter(untrue or heard)), event)
    if _is_over(event, now) and (was.cancelled or _has_ended_as_announced(was, now)):
        return None
    people = sum(heard.values())
    return MisinformedGroup(
        publication=publication,
        what=_find_change_type(event, after_all=bool(untrue)),
        people=people,
        was=was,
        now=resolve_event(event),
        correction=known,
        mixed=0 < sum(untrue.values()) < people,
        before=newest if known is None else None,
    )


def _find_current_correction(publication: Publication, event: EventNotice) -> Correction | None:
    """The newest correction that was not cancelled, where it says what is so now."""
    newest = _find_corrections(publication, event).exclude(issue__state=Issue.State.CANCELLED).order_by("-turn").first()
    return newest if newest is not None and newest.fingerprint == fingerprint_event(event) else None


def _find_corrections(publication: Publication, event: EventNotice) -> QuerySet[Correction]:
    return Correction.objects.filter(publication=publication, event=event).select_related("issue__publication")


def _count_people_by_last_mention(mails: QuerySet[Delivery], mentions: list[EventMention]) -> dict[EventMention, int]:
    """What these mails say, newest first, each with the people for whom it is the last of them."""
    last = mails.order_by().values("subscriber_id").annotate(last=Max("pk")).values("last")
    by_variant = Delivery.objects.filter(pk__in=last).order_by().values_list("batch__variant").annotate(Count("pk"))
    people = dict(by_variant)
    return {one: people[one.variant_id] for one in mentions if one.variant_id in people}


def _find_change_type(event: EventNotice, *, after_all: bool) -> str:
    if event.cancelled:
        return Correction.What.CANCELLED
    return Correction.What.RESTORED if after_all else Correction.What.MOVED


def _find_mentioned_event(telling: EventMention, event: EventNotice) -> EventRecord:
    return telling.event or replace(resolve_event(event), cancelled=True)


def _is_over(event: EventNotice, now: datetime) -> bool:
    return _end(event.starts_at, event.ends_at, all_day=event.all_day) <= now


def _has_ended_as_announced(was: EventRecord, now: datetime) -> bool:
    """Whether nobody who goes by what was shown is still on the way."""
    return was.over_at <= now


def _end(starts: datetime, ends: datetime | None, *, all_day: bool) -> datetime:
    return ends or (starts + timedelta(days=1) if all_day else starts)


def _cancel_outdated_corrections(publication: Publication, event: EventNotice, *, by: Any, now: datetime) -> None:
    """What waits and says otherwise is taken back; what is on its way and says otherwise must come to its end first."""
    over = [Issue.State.SENT, Issue.State.CANCELLED]
    open_ = _find_corrections(publication, event).exclude(issue__state__in=over)
    for older in open_.exclude(fingerprint=fingerprint_event(event)):
        take_back(correction=older, by=by, now=now)


def _make_correction(misinformed: MisinformedGroup, *, event: EventNotice, turn: int, by: Any, now: datetime) -> Issue:
    publication, language = misinformed.publication, misinformed.publication.language
    title = escape_merge_fields(event.title)
    words = f"{misinformed.what}_some_text" if misinformed.mixed else f"{misinformed.what}_text"
    text = reader_text(words, language, title=event.title, when=_join(misinformed.when, misinformed.where))
    body: list[tuple[str, Any]] = [
        (
            "note",
            {
                "heading": reader_text(f"{misinformed.what}_heading", language),
                "text": f"<p>{escape(escape_merge_fields(text), quote=False)}</p>",
            },
        )
    ]
    if misinformed.what != Correction.What.CANCELLED:
        body.append(("events", {"heading": reader_text("moved_events", language), "events": [event]}))
    issue = Issue.objects.create(
        publication=publication,
        kind=Issue.Kind.CORRECTION,
        number=next_number(publication=publication, kind=Issue.Kind.CORRECTION),
        public_id=secrets.token_hex(12),
        made_at=now,
        subject=shorten(reader_text(f"{misinformed.what}_subject", language, title=title), 150),
        preheader=shorten(escape_merge_fields(_make_preheader(misinformed)), 100),
        body=body,
    )
    save_assembled_content(issue)
    issue.save_revision(user=by, log_action=False)
    Correction.objects.create(
        issue=issue,
        publication=publication,
        event=event,
        what=misinformed.what,
        fingerprint=fingerprint_event(event),
        turn=turn,
        made_at=now,
    )
    return issue


def _make_preheader(misinformed: MisinformedGroup) -> str:
    """When and where it is now; of one that is cancelled, what was not to be."""
    if misinformed.what == Correction.What.CANCELLED:
        return _join(misinformed.when, misinformed.where)
    return _join(misinformed.when_now, misinformed.where_now)


def _join(when: str, where: str) -> str:
    return f"{when} · {where}" if where else when


def _require_permission(by: Any) -> None:
    if not by.has_perm("newsletter.change_issue"):
        raise NotAllowed(
            _("%(by)s may not write corrections. An administrator can give the role “writer” or “editor”.") % {"by": by}
        )
