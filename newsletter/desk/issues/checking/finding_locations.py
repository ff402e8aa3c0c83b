"""The pages of the desk where check findings are fixed."""

from collections.abc import Sequence
from typing import NamedTuple

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.desk.issues.issue_page import FIELD_PANELS, editor_url
from newsletter.desk.preview.file_errors import explain_failure
from newsletter.issue_checks.finding_locations import concerns_story, list_places
from newsletter.issues.snapshot.incomplete_parts import find_incomplete_parts
from newsletter.issues.snapshot.records.blocks import (
    list_stories,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Issue
from newsletter.rendering.errors import MergeError
from newsletter.rendering.lint.findings import Finding

_BRAND_FIELDS = frozenset(
    {"postal_address", "website", "donate_url", "donor_portal_url", "social", "logo", "logo_dark", "brand"}
)
_STORY_CODES = frozenset({"alt-empty", "no-link"})


class FixLink(NamedTuple):
    """The page where a finding can be fixed, and its name. Both are "" if there is no one page.

    ``permission`` is what a person needs to open it, or "".
    """

    url: str = ""
    label: str = ""
    permission: str = ""


NO_PAGE = FixLink()


class MissingPart(NamedTuple):
    """Something that an issue still lacks before it can become a mail. ``fix_url`` is "" if there is no one place."""

    message: str
    fix_url: str


def list_missing_parts(issue: Issue, error: DomainError | OSError) -> list[MissingPart]:
    """Return what keeps the issue from becoming a mail. ``error`` is what resolving or rendering it raised."""
    if isinstance(error, MergeError):
        return [MissingPart(translate(error), _editor_url(issue, error.block))]
    if incomplete := find_incomplete_parts(issue):
        return [MissingPart(translate(part.message), _editor_url(issue, part.key)) for part in incomplete]
    return [MissingPart(line, "") for line in explain_failure(error).splitlines()]


def find_fix_link(issue: Issue, content: IssueContent, *, finding: Finding) -> FixLink:
    """Return the page of the desk where the finding can be fixed."""
    publication = issue.publication
    if finding.field in FIELD_PANELS and not finding.block:
        return _editor_link(issue, finding.field)
    if finding.field in _BRAND_FIELDS and not finding.block:
        url = reverse("wagtailsnippets_newsletter_brand:edit", args=[publication.brand_id])
        return FixLink(url, _("Open the brand"), "newsletter.change_brand")
    if finding.code == "sender-domain":
        return FixLink(
            reverse("newsletter_setup_domain"), _("See the records of the domain"), "newsletter.add_publication"
        )
    if finding.field == "publication":
        url = reverse("wagtailsnippets_newsletter_publication:edit", args=[publication.pk])
        return FixLink(url, _("Open the publication"), "newsletter.change_publication")
    block = next((block for block in content.blocks if block.key == finding.block), None)
    if block is None:
        return NO_PAGE
    if finding.code == "source-name":
        return _editor_link(issue, block.key)
    concerned = [story.id for story in list_stories(block) if concerns_story(story, finding)]
    story = finding.story or (concerned[0] if concerned and finding.code in _STORY_CODES else 0)
    if story:
        return FixLink(_story_url(story), _("Open the story"))
    return _editor_link(issue, block.key)


def list_fix_links(issue: Issue, content: IssueContent, *, findings: Sequence[Finding]) -> tuple[FixLink, ...]:
    """Return a link to each location of the findings, named after it; none if there is only one."""
    places = list_places(content, findings=findings)
    if len(places) < 2:
        return ()
    opens_story = findings[0].code in _STORY_CODES
    return tuple(
        FixLink(
            _story_url(place.story) if opens_story and place.story else _editor_url(issue, place.block),
            capfirst(place.label),
        )
        for place in places
    )


def _story_url(story: int) -> str:
    return reverse("wagtailsnippets_newsletter_story:edit", args=[story])


def _editor_link(issue: Issue, block: str) -> FixLink:
    url = _editor_url(issue, block)
    return FixLink(url, _("Edit it in the issue")) if url else NO_PAGE


def _editor_url(issue: Issue, block: str) -> str:
    return editor_url(issue, part=block) if issue.pk and block else ""
