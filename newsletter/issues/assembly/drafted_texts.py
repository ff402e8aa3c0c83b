"""Update the drafted subject and preheader of unsent issues when a headline in them changes."""

from datetime import datetime

from django.db import transaction

from newsletter.issues.assembly.digest import make_digest_subject
from newsletter.issues.assembly.first_draft import draft_subject
from newsletter.issues.assembly.merge_edits import Block, list_stories
from newsletter.issues.assembly.selection import Choice
from newsletter.issues.snapshot.drafted_subjects import draft_preheader
from newsletter.models import Issue, Story

_FIRST_OTHER, _LAST_OTHER = 1, 4


@transaction.atomic
def update_drafted_texts(*, now: datetime) -> list[Issue]:
    """Write corrected headlines into the subjects and preheaders of unsent issues. Return the issues that changed.

    A text that a person wrote stays. Their approvals are void then, because their content changed.
    """
    drafted = Issue.objects.filter(state__in=Issue.UNSENT_STATES).exclude(
        kind__in=[Issue.Kind.CORRECTION, Issue.Kind.WELCOME]
    )
    rows = drafted.select_for_update(of=("self",)).select_related("publication", "slot__publication")
    return [issue for issue in rows if issue.assembled and _update(issue)]


def _update(issue: Issue) -> bool:
    """Redraft the texts that still are as they were assembled. Return True if one of them changed."""
    before = issue.assembled
    texts = _draft_texts(issue)
    new = {name: text for name, text in texts.items() if getattr(issue, name) == before.get(name) != text}
    if not new:
        return False
    for name, text in new.items():
        setattr(issue, name, text)
    issue.save()
    Issue.objects.filter(pk=issue.pk).update(assembled={**before, **new})
    issue.store_revision()
    return True


def _draft_texts(issue: Issue) -> dict[str, str]:
    """Return the subject and the preheader that the stories have now, each only if it names the same stories still."""
    was, now = list_stories(issue.assembled.get("body", [])), list_stories(issue.body.get_prep_value())
    stories = _find_titled_stories(was)
    if not was or len(stories) < len(was):
        return {}
    choice = Choice(stories, [], [], [])
    texts = {}
    if _list_ids(was[:1]) == _list_ids(now[:1]):
        texts["subject"] = _draft_subject(issue, choice)
    if _list_ids(was[_FIRST_OTHER:_LAST_OTHER]) == _list_ids(now[_FIRST_OTHER:_LAST_OTHER]):
        texts["preheader"] = draft_preheader(choice.stories)
    return texts


def _draft_subject(issue: Issue, choice: Choice) -> str:
    if issue.kind == Issue.Kind.DIGEST and issue.slot is not None:
        return make_digest_subject(slot=issue.slot, choice=choice)
    return draft_subject(publication=issue.publication, choice=choice, number=issue.number)


def _find_titled_stories(values: list[Block]) -> list[Story]:
    """Return the stories in this order, each under the title that it has now."""
    rows = Story.objects.in_bulk(_list_ids(values))
    return [rows[value["story"]] for value in values if value["story"] in rows]


def _list_ids(values: list[Block]) -> list[int]:
    return [value["story"] for value in values]
