"""An event that moved or was cancelled, announced to exactly those who were shown it otherwise. Nothing here sends.

A change is announced once by each publication: a row with the event as it is now makes that so.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from newsletter.errors import NotAllowed, NotReady, WrongState
from newsletter.issues.assemble import next_number, remember_assembly
from newsletter.issues.body import literal, shorten
from newsletter.issues.content import resolve_event
from newsletter.issues.dates import in_words, locale_of
from newsletter.issues.shown import find_event, fingerprint, shown_wrongly_to, variants_with
from newsletter.issues.where import say_where
from newsletter.issues.words import say
from newsletter.models import Correction, Delivery, EventNotice, Issue, IssueRevision, Publication, Shown


@dataclass(frozen=True)
class Misled:
    """People to whom a publication showed an event otherwise than it is now.

    ``was`` is the event as they saw it last, ``now`` as it is.
    """

    publication: Publication
    what: str
    people: int
    was: dict[str, Any]
    now: dict[str, Any]
    correction: Correction | None

    @property
    def when(self) -> str:
        """Day and hour as they were shown, in the publication's language."""
        return self._when(self.was)

    @property
    def when_now(self) -> str:
        return self._when(self.now)

    @property
    def where(self) -> str:
        """The place as it was shown."""
        return say_where(self.was, language=self.publication.language)

    @property
    def where_now(self) -> str:
        return say_where(self.now, language=self.publication.language)

    def _when(self, event: dict[str, Any]) -> str:
        return in_words(event, locale=locale_of(self.publication.language), default_zone=self.publication.zone)


def find_misled(event: EventNotice, *, now: datetime) -> list[Misled]:
    """Of each publication that showed the event otherwise to somebody. Nobody is misled by an event that is over."""
    variants = variants_with(Shown.Kind.EVENT, event.pk)
    publications = Publication.objects.filter(issues__variants__in=variants).distinct().order_by("pk")
    found = (
        _misled_by(publication, event, now=now) for publication in publications.select_related("brand", "mailing_list")
    )
    return [one for one in found if one is not None]


def announce_change(*, event: EventNotice, publication: Publication, by: Any, now: datetime) -> Issue:
    """The draft of a correction; the one that is there where the change was announced already.

    Raises NotAllowed, NotReady where nobody was shown it otherwise, WrongState where it went out and was cancelled midway.
    """
    if not by.has_perm("newsletter.change_issue"):
        raise NotAllowed(
            _("%(by)s may not write corrections. An administrator can give the role “writer” or “editor”.") % {"by": by}
        )
    misled = _misled_by(publication, event, now=now)
    if misled is None and _is_over(event, now):
        raise NotReady(_("“%(title)s” is over: there is nothing to announce.") % {"title": event.title})
    if misled is None:
        raise NotReady(
            _("%(name)s showed nobody “%(title)s” otherwise than it is now: there is nothing to correct.")
            % {"name": publication.name, "title": event.title}
        )
    try:
        with transaction.atomic():
            return _find_draft(misled) or _make_correction(misled, event=event, by=by, now=now)
    except IntegrityError:
        return Correction.objects.get(publication=publication, event=event, fingerprint=facts_of(event)).issue


def facts_of(event: EventNotice) -> str:
    """The fingerprint of an event as its row is now."""
    return fingerprint(
        {
            "starts_at": event.starts_at.astimezone(UTC).isoformat(),
            "all_day": event.all_day,
            "day": event.day.isoformat() if event.day else "",
            "place": event.place_text,
            "town": event.town,
            "region": event.region,
            "online": event.online,
            "cancelled": event.cancelled,
        }
    )


def _misled_by(publication: Publication, event: EventNotice, *, now: datetime) -> Misled | None:
    now_is = facts_of(event)
    known = Correction.objects.filter(publication=publication, event=event, fingerprint=now_is).first()
    looked_for = known or Correction(publication=publication, event=event, fingerprint=now_is)
    people = shown_wrongly_to(looked_for).distinct().count()
    was = _last_shown(publication, event, now_is) if people else None
    if was is None or (_is_over(event, now) and _was_to_be_over(was, now)):
        return None
    what = Correction.What.CANCELLED if event.cancelled else Correction.What.MOVED
    return Misled(
        publication=publication, what=what, people=people, was=was, now=resolve_event(event), correction=known
    )


def _is_over(event: EventNotice, now: datetime) -> bool:
    return _end(event.starts_at, event.ends_at, all_day=event.all_day) <= now


def _was_to_be_over(was: dict[str, Any], now: datetime) -> bool:
    """Whether nobody who goes by what was shown is still on the way."""
    starts, ends = (datetime.fromisoformat(was[name]) if was[name] else None for name in ("starts_at", "ends_at"))
    return starts is not None and _end(starts, ends, all_day=was["all_day"]) <= now


def _end(starts: datetime, ends: datetime | None, *, all_day: bool) -> datetime:
    return ends or (starts + timedelta(days=1) if all_day else starts)


def _last_shown(publication: Publication, event: EventNotice, now_is: str) -> dict[str, Any] | None:
    """The event in the newest issue that showed it otherwise."""
    revisions = IssueRevision.objects.filter(
        issue__publication=publication, variants__in=variants_with(Shown.Kind.EVENT, event.pk)
    )
    for content in revisions.distinct().order_by("-made_at").values_list("content", flat=True):
        shown = find_event(content, event.pk)
        if shown is not None and fingerprint(shown) != now_is:
            return shown
    return None


def _find_draft(misled: Misled) -> Issue | None:
    """The correction that is there. One that was cancelled before it reached anybody makes room for another."""
    if misled.correction is None:
        return None
    issue: Issue = misled.correction.issue
    if issue.state != Issue.State.CANCELLED:
        return issue
    if Delivery.objects.filter(issue=issue).exists():
        raise WrongState(
            _("This change was announced in %(issue)s, whose send was cancelled. It cannot be announced again.")
            % {"issue": issue}
        )
    misled.correction.delete()
    return None


def _make_correction(misled: Misled, *, event: EventNotice, by: Any, now: datetime) -> Issue:
    publication, language = misled.publication, misled.publication.language
    title = literal(event.title)
    text = say(f"{misled.what}_text", language, title=event.title, when=_join(misled.when, misled.where))
    body: list[tuple[str, Any]] = [
        (
            "note",
            {
                "heading": say(f"{misled.what}_heading", language),
                "text": f"<p>{escape(literal(text), quote=False)}</p>",
            },
        )
    ]
    if misled.what == Correction.What.MOVED:
        body.append(("events", {"heading": say("moved_events", language), "events": [event]}))
    issue = Issue.objects.create(
        publication=publication,
        kind=Issue.Kind.CORRECTION,
        number=next_number(publication=publication, kind=Issue.Kind.CORRECTION),
        public_id=secrets.token_hex(12),
        made_at=now,
        subject=shorten(say(f"{misled.what}_subject", language, title=title), 150),
        preheader=shorten(literal(_inbox_words(misled)), 100),
        body=body,
    )
    remember_assembly(issue)
    issue.save_revision(user=by, log_action=False)
    Correction.objects.create(
        issue=issue,
        publication=publication,
        event=event,
        what=misled.what,
        fingerprint=facts_of(event),
        made_at=now,
    )
    return issue


def _inbox_words(misled: Misled) -> str:
    """When and where it is now; of one that is cancelled, what was not to be."""
    if misled.what == Correction.What.CANCELLED:
        return _join(misled.when, misled.where)
    return _join(misled.when_now, misled.where_now)


def _join(when: str, where: str) -> str:
    return f"{when} · {where}" if where else when
