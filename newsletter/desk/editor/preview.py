"""The preview of an issue: each version in each look, or the mail of one person; and the page “Watch”."""

from dataclasses import replace
from typing import Protocol

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.errors import DomainError
from newsletter.desk.issues.issue_page import IssuePage
from newsletter.desk.preview.block_outlines import show_limits, show_unfinished
from newsletter.desk.preview.mail_iframe import inbox_iframe_response, mail_iframe_response, text_iframe_response
from newsletter.desk.preview.modes import PART_NAMES, Mode
from newsletter.desk.preview.panel import IframePreview
from newsletter.desk.preview.person import PERSON_PREFIX, load_preview_person
from newsletter.desk.shell.labels import label_people
from newsletter.issue_checks.block_reach import describe_reach
from newsletter.issue_checks.variant_groups import (
    EMPTY_GROUP,
    choose_visible,
    find_issue_content,
    find_variant_groups,
    group_key,
    parse_group_key,
    render_for_group,
)
from newsletter.issues.snapshot.incomplete_parts import find_incomplete_parts
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_complete_content, resolve_content
from newsletter.issues.snapshot.revisions import find_sealed_revision
from newsletter.issues.variants.recipient_groups import RecipientGroup
from newsletter.issues.variants.render import render_preview
from newsletter.models import Issue
from newsletter.rendering.mail import RenderedMail

MAX_MODES = 40
DEFAULT_MODE = f"mail.{group_key(EMPTY_GROUP)}"


class Render(Protocol):
    """Renders the mail of one group of recipients."""

    def __call__(self, content: IssueContent, *, group: RecipientGroup) -> RenderedMail: ...


def find_draft_content(issue: Issue) -> IssueContent:
    """Return the content without unfinished blocks, or the content that was sent.

    Raises NotReady if no block is finished.
    """
    if find_sealed_revision(issue):
        return find_issue_content(issue)
    content = resolve_content(issue)
    return content if content.blocks else resolve_complete_content(issue)


def list_issue_modes(issue: Issue) -> list[Mode]:
    """Return the choices of the preview panel, those with every story in the order of the form first.

    Without content, offer only an unknown location.
    """
    try:
        groups = find_variant_groups(issue, content=find_draft_content(issue))
    except (DomainError, OSError):
        return [Mode(DEFAULT_MODE, _("Somebody whose location is unknown"))]
    groups.sort(key=lambda group: bool(group.visible.order or group.visible.hidden))
    return [Mode(f"mail.{group.name}", f"{label_people(group.people)} · {group.label}") for group in groups[:MAX_MODES]]


def show_mail_part(
    content: IssueContent, *, mode: str, request: HttpRequest, render: Render = render_for_group
) -> HttpResponse:
    """Return one part of one mail. ``mode`` is ``PART.RECIPIENTS``, such as ``dark.12.donor`` or ``text.person.7``.

    Raises Http404 if there is no such part, group or person, and what rendering raises.
    """
    part, _dot, name = mode.partition(".")
    if part not in PART_NAMES:
        raise Http404("There is no such part of the mail.")
    if name.startswith(PERSON_PREFIX):
        group, fields = load_preview_person(name, user=request.user, content=content)
    else:
        group, fields = parse_group_key(name), {}
    mail = render(content, group=group)
    if part == "text":
        return text_iframe_response(mail, request=request, fields=fields)
    if part == "inbox":
        return inbox_iframe_response(mail, sender=content.publication.from_name, request=request, fields=fields)
    return mail_iframe_response(mail, look=part, fields=fields)


class IssuePreview(IframePreview):
    """The mail of the form, with marked blocks. A block that is not finished is a box that names its missing parts."""

    object: Issue

    def show(self, mode: str) -> HttpResponse:
        render = render_for_group if find_sealed_revision(self.object) else self.render_draft
        content = find_draft_content(self.object)
        return show_mail_part(content, mode=mode or DEFAULT_MODE, request=self.request, render=render)

    def render_draft(self, content: IssueContent, *, group: RecipientGroup) -> RenderedMail:
        visible = choose_visible(content, group=group)
        mail = render_preview(content, visible=visible)
        keys = [child.id or "" for child in self.object.body]
        limits = describe_reach(self.object, content, now=timezone.now())
        html = show_limits(mail.html, keys=keys, limits=limits, closed=visible.closed)
        html = show_unfinished(html, keys=keys, unfinished=find_incomplete_parts(self.object))
        return replace(mail, html=html)


class WatchPage(IssuePage):
    """Show the mail without the form. A script loads it again after each save."""

    template_name = "desk/issue_watch.html"
    header_icon = "view"
    page_title = gettext_lazy("Watch")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), "issue": self.issue, "mode": DEFAULT_MODE}
