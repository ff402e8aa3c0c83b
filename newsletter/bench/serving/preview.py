"""Measure the desk's preview after a keystroke: reading the unsaved form and rendering its mail."""

import time
from dataclasses import dataclass
from statistics import median
from uuid import uuid4

from django.test import Client

from newsletter.bench.audience import make_approved_issue, make_audience
from newsletter.bench.errors import NotMeasured
from newsletter.bench.serving.clients import sign_in
from newsletter.issue_checks.variant_groups import EMPTY_GROUP, group_key
from newsletter.models import Issue


@dataclass(frozen=True)
class PreviewFigures:
    """Milliseconds on the server for one keystroke, form and mail together. ``mail_kb`` is the size of the mail."""

    people: int
    mail_kb: float
    median_ms: float
    slowest_ms: float


def measure_preview(*, people: int = 2_000, times: int = 15) -> PreviewFigures:
    """Post the editor's form with a new headline each time, as the editor does, and read the mail."""
    issue = make_approved_issue(make_audience(people, stories=7))
    client = sign_in()
    took, size = [], 0
    for number in range(times + 1):
        started = time.perf_counter()
        size = _preview_once(client, issue, headline=f"A headline with {number} changes")
        took.append((time.perf_counter() - started) * 1000)
    warm = took[1:]
    return PreviewFigures(
        people=people, mail_kb=size / 1000, median_ms=round(median(warm), 1), slowest_ms=round(max(warm), 1)
    )


def _preview_once(client: Client, issue: Issue, *, headline: str) -> int:
    """Make the request of one keystroke. Return the size of the mail in bytes."""
    url = f"/admin/issues/preview/{issue.pk}/?mode=mail.{group_key(EMPTY_GROUP)}"
    form = {"subject": issue.subject, "preheader": issue.preheader, **_make_body_fields(issue)}
    response = client.post(url, {**form, "body-0-value-headline": headline}, headers={"accept": "text/html"})
    if response.status_code != 200:
        raise NotMeasured(f"The desk refused the issue's form (status {response.status_code}).")
    if headline not in response.content.decode():
        raise NotMeasured("The preview does not show the new headline.")
    return len(response.content)


def _make_body_fields(issue: Issue) -> dict[str, str]:
    """Return the form fields of a lead story and of cards with the other stories."""
    stories = [placement.story_id for placement in issue.placements.all()]
    fields = {"body-count": "2"}
    for at, kind in enumerate(("lead_story", "stories")):
        fields |= {
            f"body-{at}-type": kind,
            f"body-{at}-order": str(at),
            f"body-{at}-deleted": "",
            f"body-{at}-id": str(uuid4()),
        }
    fields |= _make_story_fields("body-0-value", stories[0])
    fields |= {
        "body-1-value-heading": "",
        "body-1-value-look": "cards",
        "body-1-value-stories-count": str(len(stories) - 1),
    }
    for at, story in enumerate(stories[1:]):
        prefix = f"body-1-value-stories-{at}"
        fields |= {f"{prefix}-order": str(at), f"{prefix}-deleted": "", f"{prefix}-id": str(uuid4())}
        fields |= _make_story_fields(f"{prefix}-value", story)
    return fields


def _make_story_fields(prefix: str, story: int) -> dict[str, str]:
    return {f"{prefix}-story": str(story), f"{prefix}-headline": "", f"{prefix}-teaser": "", f"{prefix}-picture": ""}
