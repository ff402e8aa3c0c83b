"""Make an issue that no slot of the schedule asked for: from the rules, as a copy of another issue, or empty.

From here on it is an issue like any other: the same approval, freeze, send and receipt.
"""

import secrets
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy

from newsletter.common.errors import NotAllowed, NotReady, WrongState
from newsletter.common.schedule import parse_due
from newsletter.issues.approval.publication_switches import require_publication_enabled
from newsletter.issues.assembly.assemble import record_announced_audience, save_new_issue
from newsletter.issues.assembly.first_draft import make_draft, next_number, paragraphs
from newsletter.issues.assembly.stories_at_source import find_texts_without_gone_stories
from newsletter.issues.reuse.templates import fill_template
from newsletter.issues.snapshot.placements import find_released_placements, place_stories
from newsletter.models import EventNotice, Issue, IssueTemplate, Publication, Story, StoryPlacement
from subscribers.models import Segment
from subscribers.segments.compile import check_rule

Block = dict[str, object]


class Beginning(models.TextChoices):
    """The choices of what a new issue begins with."""

    RULES = "rules", gettext_lazy("The newest stories and events")
    COPY = "copy", gettext_lazy("A copy of an earlier issue")
    TEMPLATE = "template", gettext_lazy("A template, with what the rules choose now")
    EMPTY = "empty", gettext_lazy("An empty issue")


def create_issue(
    *,
    publication: Publication,
    beginning: Beginning,
    by: User | None,
    now: datetime,
    original: Issue | IssueTemplate | None = None,
    segment: Segment | None = None,
    due: str = "",
    public_id: str = "",
) -> Issue:
    """Make a draft without a slot. ``due`` is a wall-clock time in the publication's zone; "" is when a person sends it.

    ``original`` is the issue to copy, or the template to fill. ``public_id`` comes from the form: a second call with it
    returns the first issue.
    ``by`` is None for the command line. Raises NotAllowed, SwitchedOff, BadSchedule, BadRule; WrongState for a time that
    has passed; NotReady if the rules find nothing new.
    """
    if by is not None and not by.has_perm("newsletter.change_issue"):
        raise NotAllowed("%(by)s may not make issues. An administrator can give the role “writer” or “editor”.", by=by)
    require_publication_enabled(publication)
    if segment is not None:
        check_rule(segment.rule)
    issue = Issue(
        publication=publication,
        segment=segment,
        due_at=parse_future_due(due, zone=publication.zone, now=now) if due else None,
        public_id=public_id or secrets.token_hex(12),
        made_at=now,
    )
    try:
        with transaction.atomic():
            # The number is the highest so far and one: a second new issue waits here.
            Publication.objects.select_for_update().get(pk=publication.pk)
            _fill(issue, beginning=beginning, original=original, by=by, now=now)
    except IntegrityError:
        made = Issue.objects.filter(public_id=public_id, publication=publication).first() if public_id else None
        if made is None:
            raise
        return made
    return issue


def parse_future_due(due: str, *, zone: str, now: datetime) -> datetime:
    """Return the moment of a wall-clock time. Raises BadSchedule, or WrongState if it has passed."""
    moment = parse_due(due, zone=zone)
    if moment.at <= now:
        local = datetime.fromisoformat(moment.local)
        raise WrongState("%(local)s has passed. Choose a later time.", local=local)
    return moment.at


def _fill(
    issue: Issue,
    *,
    beginning: Beginning,
    original: Issue | IssueTemplate | None,
    by: User | None,
    now: datetime,
) -> None:
    match beginning:
        case Beginning.RULES:
            draft = make_draft(issue=issue, now=now)
            if draft.skip_reason:
                raise NotReady(
                    "%(reason)s So the rules would make an empty issue. Begin with a copy or an empty issue.",
                    reason=draft.skip_reason,
                )
            save_new_issue(issue=issue, draft=draft, now=now)
        case Beginning.COPY:
            if not isinstance(original, Issue):
                raise NotReady("Choose the issue to copy.")
            body, stories = copy_body(original, issue=issue, now=now)
            issue.subject, issue.preheader = find_texts_without_gone_stories(original)
            issue.layout, issue.headline, issue.charitable = original.layout, original.headline, original.charitable
            _save(issue, body=body, by=by, now=now)
            place_stories(issue=issue, stories=stories, now=now)
        case Beginning.TEMPLATE:
            if not isinstance(original, IssueTemplate):
                raise NotReady("Choose the template.")
            filled = fill_template(original, issue=issue, now=now)
            issue.subject, issue.preheader = filled.subject, filled.preheader
            issue.layout, issue.headline, issue.charitable = original.layout, original.headline, original.charitable
            _save(issue, body=filled.body, by=by, now=now)
            place_stories(issue=issue, stories=filled.stories, now=now)
        case Beginning.EMPTY:
            intro = issue.publication.intro
            _save(issue, body=[("note", {"heading": "", "text": paragraphs(intro)})] if intro else [], by=by, now=now)


def _save(issue: Issue, *, body: Any, by: User | None, now: datetime) -> None:
    issue.number = next_number(publication=issue.publication, kind=issue.kind)
    issue.body = body
    issue.save()
    record_announced_audience(issue, now=now)
    issue.store_revision(by=by)


def copy_body(original: Issue, *, issue: Issue, now: datetime) -> tuple[Any, list[int]]:
    """Return the body for ``issue``, and the ids of its stories.

    Leave out stories of another issue of its publication, gone or withdrawn stories, and events that are over when it is
    due. Blocks with nothing left are left out too.
    """
    used = StoryPlacement.objects.filter(publication=issue.publication_id, kind=issue.kind)
    used = used.exclude(pk__in=find_released_placements(now=now))
    stories = set(Story.objects.showable().exclude(pk__in=used.values("story")).values_list("pk", flat=True))
    due_at = max(issue.due_at or now, now)
    events = set(EventNotice.objects.filter(starts_at__gt=due_at, cancelled=False).values_list("pk", flat=True))
    copied: list[Block] = []
    placed: list[int] = []
    for block in original.body.get_prep_value():
        value = block["value"]
        match block["type"]:
            case "lead_story" if value["story"] not in stories:
                continue
            case "lead_story":
                placed.append(value["story"])
            case "stories":
                items = [item for item in value["stories"] if item["value"]["story"] in stories]
                placed += [item["value"]["story"] for item in items]
                value = {**value, "stories": items}
                if not items:
                    continue
            case "events":
                value = {**value, "events": [item for item in value["events"] if item["value"] in events]}
        copied.append({"type": block["type"], "value": value})
    return original.body.stream_block.to_python(copied), placed
