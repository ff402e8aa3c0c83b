"""Announce a changed event to exactly the people who received other details. It sends no mail.

The event may have moved, been cancelled, or take place after all. `issues.variants.event_mentions` finds who received
which details.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, QuerySet

from newsletter.common.errors import NotAllowed, NotReady, WrongState
from newsletter.issues.approval.approve import withdraw_approvals
from newsletter.issues.approval.publication_switches import require_publication_enabled
from newsletter.issues.corrections.correction_texts import (
    CorrectionTexts,
    find_translation_in,
    store_translations,
    write_correction_texts,
)
from newsletter.issues.corrections.draft import draft_correction
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.snapshot.resolve_blocks import resolve_event
from newsletter.issues.snapshot.translated_rows import find_translated_location
from newsletter.issues.variants.dates import format_event_time
from newsletter.issues.variants.event_mentions import EventMention, find_event_mentions, find_misinforming_deliveries
from newsletter.issues.visible.event_locations import describe_event_location
from newsletter.models import Correction, Delivery, EventNotice, Issue, Publication, Send, transition
from newsletter.providers.registry import OUTBOX
from newsletter.rendering.phrases import get_babel_locale


@dataclass(frozen=True)
class MisinformedGroup:
    """The people to whom one publication gave details of an event that are not true any more.

    ``was`` is the event as last announced to them and ``now`` its current details. ``correction`` is the correction that
    announces it, if there is one. ``mixed`` is True if the event takes place after all and only some people were notified
    of a cancellation. ``earlier`` is a correction with the same details that did not reach these people. ``to_files`` is
    True if their mails were written to files, so that they would have received them.
    """

    publication: Publication
    change_type: str
    people: int
    was: EventRecord
    now: EventRecord
    correction: Correction | None
    mixed: bool = False
    earlier: Correction | None = None
    to_files: bool = False

    @property
    def when(self) -> str:
        """The day and hour that was announced to them, in the publication's language."""
        return self._when(self.was)

    @property
    def when_now(self) -> str:
        return self._when(self.now)

    @property
    def where(self) -> str:
        """The location that was announced to them."""
        return describe_event_location(self.was, language=self.publication.language)

    @property
    def where_now(self) -> str:
        return describe_event_location(self.now, language=self.publication.language)

    def _when(self, event: EventRecord) -> str:
        return format_event_time(
            event, locale=get_babel_locale(self.publication.language), default_zone=self.publication.zone
        )


def find_misinformed(event: EventNotice, *, now: datetime) -> list[MisinformedGroup]:
    """Return a group for each publication that gave other details. An event that is over misinforms nobody."""
    mentions = find_event_mentions(event.pk)
    publications = Publication.objects.filter(pk__in={mention.publication_id for mention in mentions}).order_by("pk")
    groups = (
        _find_misinformed_group(publication, event, mentions=mentions, now=now)
        for publication in publications.select_related("brand", "mailing_list")
    )
    return [group for group in groups if group is not None]


def find_obsolete_corrections(event: EventNotice, *, now: datetime) -> list[Correction]:
    """Return the unsent corrections that are not needed: the event changed again or is over, or everybody knows already."""
    waiting = Correction.objects.filter(event=event, issue__state__in=Issue.UNSENT_STATES)
    fingerprint = fingerprint_event(event)
    mentions = find_event_mentions(event.pk)
    return [
        correction
        for correction in waiting.select_related("publication", "issue__publication").order_by("pk")
        if correction.fingerprint != fingerprint
        or _find_misinformed_group(correction.publication, event, mentions=mentions, now=now) is None
    ]


def announce_change(*, event: EventNotice, publication: Publication, by: User | AnonymousUser, now: datetime) -> Issue:
    """Return the draft of a correction, or the correction that announces the change already.

    A waiting correction that says something else is cancelled.
    Raises NotAllowed, SwitchedOff, NotReady if nobody got other details, WrongState if another correction is being
    sent.
    """
    require_corrector(by)
    require_publication_enabled(publication)
    sequence = (_find_corrections(publication, event).aggregate(last=Max("sequence"))["last"] or 0) + 1
    misinformed = _find_misinformed_group(publication, event, mentions=find_event_mentions(event.pk), now=now)
    if misinformed is None:
        if _is_over(event, now):
            raise NotReady("“%(title)s” is over: there is nothing to announce.", title=event.title)
        raise NotReady(
            "%(name)s gave nobody other details of “%(title)s”: there is nothing to correct.",
            name=publication.name,
            title=event.title,
        )
    if misinformed.correction is not None:
        return misinformed.correction.issue
    try:
        with transaction.atomic():
            _cancel_outdated_corrections(publication, event, by=by, now=now)
            return _make_correction(misinformed, event=event, sequence=sequence, by=by, now=now)
    except IntegrityError:
        made = _find_current_correction(publication, event)
        if made is None:
            raise
        return made.issue


def cancel_correction(*, correction: Correction, by: User | AnonymousUser, now: datetime) -> None:
    """Cancel a correction that was not sent. Raises NotAllowed; WrongState if it is being sent or was sent."""
    require_corrector(by)
    issue = correction.issue
    with transaction.atomic():
        live = issue.sends.exclude(state=Send.State.CANCELLED).exists()
        withdraw_approvals(issue=issue, now=now)
        if live or not transition(issue, from_states=Issue.UNSENT_STATES, to=Issue.State.CANCELLED):
            raise WrongState(
                "%(issue)s is being sent, or was sent, with other details. Wait until its send ends, or stop it permanently.",
                issue=issue,
            )


def fingerprint_event(event: EventNotice) -> str:
    """Return the fingerprint of the event as its row is now."""
    return resolve_event(event).fingerprint()


def _find_misinformed_group(
    publication: Publication, event: EventNotice, *, mentions: list[EventMention], now: datetime
) -> MisinformedGroup | None:
    current = newest = _find_current_correction(publication, event)
    if newest is not None and newest.issue.state == Issue.State.SENT:
        repeated = Correction(publication=publication, event=event, fingerprint=newest.fingerprint)
        current = None if find_misinforming_deliveries(repeated, mentions=mentions).exists() else newest
    looked_for = current or Correction(publication=publication, event=event, fingerprint=fingerprint_event(event))
    mails = find_misinforming_deliveries(looked_for, mentions=mentions)
    last_heard = _count_people_by_last_mention(mails, mentions)
    if not last_heard:
        return None
    cancelled = {mention: people for mention, people in last_heard.items() if mention.cancelled}
    was = _find_mentioned_event(next(iter(cancelled or last_heard)), event)
    if _is_over(event, now) and (was.cancelled or was.over_at <= now):
        return None
    people = sum(last_heard.values())
    return MisinformedGroup(
        publication=publication,
        change_type=_find_change_type(event, takes_place_again=bool(cancelled)),
        people=people,
        was=was,
        now=resolve_event(event),
        correction=current,
        mixed=0 < sum(cancelled.values()) < people,
        earlier=newest if current is None else None,
        to_files=not mails.exclude(batch__send__provider=OUTBOX).exists(),
    )


def _find_current_correction(publication: Publication, event: EventNotice) -> Correction | None:
    """Return the newest correction that was not cancelled, if it gives the details of now."""
    newest = (
        _find_corrections(publication, event).exclude(issue__state=Issue.State.CANCELLED).order_by("-sequence").first()
    )
    return newest if newest is not None and newest.fingerprint == fingerprint_event(event) else None


def _find_corrections(publication: Publication, event: EventNotice) -> QuerySet[Correction]:
    return Correction.objects.filter(publication=publication, event=event).select_related("issue__publication")


def _count_people_by_last_mention(mails: QuerySet[Delivery], mentions: list[EventMention]) -> dict[EventMention, int]:
    """Return the mentions in these mails, newest first, each with the number of people who heard it last."""
    last = mails.order_by().values("subscriber_id").annotate(last=Max("pk")).values("last")
    by_variant = Delivery.objects.filter(pk__in=last).order_by().values_list("batch__variant").annotate(Count("pk"))
    people = dict(by_variant)
    return {mention: people[mention.variant_id] for mention in mentions if mention.variant_id in people}


def _find_change_type(event: EventNotice, *, takes_place_again: bool) -> str:
    if event.cancelled:
        return Correction.ChangeType.CANCELLED
    return Correction.ChangeType.RESTORED if takes_place_again else Correction.ChangeType.MOVED


def _find_mentioned_event(mention: EventMention, event: EventNotice) -> EventRecord:
    return mention.event or replace(resolve_event(event), cancelled=True)


def _is_over(event: EventNotice, now: datetime) -> bool:
    return resolve_event(event).over_at <= now


def _cancel_outdated_corrections(
    publication: Publication, event: EventNotice, *, by: User | AnonymousUser, now: datetime
) -> None:
    """Cancel the waiting corrections that give other details. Raises WrongState if one of them is being sent."""
    closed = [Issue.State.SENT, Issue.State.CANCELLED]
    waiting = _find_corrections(publication, event).exclude(issue__state__in=closed)
    for outdated in waiting.exclude(fingerprint=fingerprint_event(event)):
        cancel_correction(correction=outdated, by=by, now=now)


def _make_correction(
    misinformed: MisinformedGroup, *, event: EventNotice, sequence: int, by: User | AnonymousUser, now: datetime
) -> Issue:
    publication = misinformed.publication
    texts = _write_texts(misinformed, event=event, language=publication.language, now=now)
    body: list[tuple[str, object]] = [("note", {"heading": texts.heading, "text": texts.text})]
    if misinformed.change_type != Correction.ChangeType.CANCELLED:
        body.append(("events", {"heading": texts.events_heading, "events": [event]}))
    for language in publication.languages:
        translated = _write_texts(misinformed, event=event, language=language, now=now)
        store_translations(texts, translated=translated, publication=publication, language=language, now=now)
    issue = draft_correction(
        publication=publication, subject=texts.subject, preheader=texts.preheader, body=body, by=by, now=now
    )
    Correction.objects.create(
        issue=issue,
        publication=publication,
        event=event,
        change_type=misinformed.change_type,
        fingerprint=fingerprint_event(event),
        sequence=sequence,
        made_at=now,
    )
    return issue


def _write_texts(misinformed: MisinformedGroup, *, event: EventNotice, language: str, now: datetime) -> CorrectionTexts:
    zone = misinformed.publication.zone
    translation = find_translation_in(event, language)
    words = find_translated_location(translation, original=event) if translation else None
    before, after = misinformed.was, misinformed.now
    return write_correction_texts(
        change_type=misinformed.change_type,
        mixed=misinformed.mixed,
        title=(translation or event).title,
        was=replace(before, translated_location=words) if before.named_place == after.named_place else before,
        now=replace(after, translated_location=words),
        language=language,
        zone=zone,
        year=now.astimezone(ZoneInfo(zone)).year,
    )


def require_corrector(by: User | AnonymousUser) -> None:
    """Raise NotAllowed if the person may not write corrections."""
    if not by.has_perm("newsletter.change_issue"):
        raise NotAllowed(
            "%(by)s may not write corrections. An administrator can give the role “writer” or “editor”.", by=by
        )
