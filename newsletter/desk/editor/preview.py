"""The preview of an issue: each version in each look, or the mail of one person."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from newsletter.common.errors import DomainError
from newsletter.desk.issues.audience.variant_groups import (
    EMPTY_GROUP,
    find_issue_content,
    find_variant_groups,
    group_key,
    parse_group_key,
    render_for_group,
)
from newsletter.desk.preview.mail_iframe import inbox_iframe_response, mail_iframe_response, text_iframe_response
from newsletter.desk.preview.modes import PART_NAMES, Mode
from newsletter.desk.preview.panel import IframePreview
from newsletter.desk.preview.person import PERSON_PREFIX, load_preview_person
from newsletter.desk.shell.labels import label_people
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Issue

MAX_MODES = 40
DEFAULT_MODE = f"mail.{group_key(EMPTY_GROUP)}"


def list_issue_modes(issue: Issue) -> list[Mode]:
    """Return the choices of the preview panel. Without complete content, offer only an unknown location."""
    try:
        groups = find_variant_groups(issue, content=find_issue_content(issue))
    except (DomainError, OSError):
        return [Mode(DEFAULT_MODE, _("Somebody whose location is unknown"))]
    return [Mode(f"mail.{group.name}", f"{label_people(group.people)} · {group.label}") for group in groups[:MAX_MODES]]


def show_mail_part(content: IssueContent, *, mode: str, request: HttpRequest) -> HttpResponse:
    """Return one part of one mail. ``mode`` is ``PART.RECIPIENTS``, such as ``dark.12.donor`` or ``text.person.7``.

    Raises Http404 if there is no such part, group or person, and what rendering raises.
    """
    part, _dot, name = mode.partition(".")
    if part not in PART_NAMES:
        raise Http404("There is no such part of the mail.")
    if name.startswith(PERSON_PREFIX):
        group, fields = load_preview_person(name, user=request.user, publication=content.publication)
    else:
        group, fields = parse_group_key(name), {}
    mail = render_for_group(content, group=group).mail
    if part == "text":
        return text_iframe_response(mail, request=request, fields=fields)
    if part == "inbox":
        return inbox_iframe_response(mail, sender=content.publication.from_name, request=request, fields=fields)
    return mail_iframe_response(mail, look=part, fields=fields)


class IssuePreview(IframePreview):
    object: Issue

    def show(self, mode: str) -> HttpResponse:
        return show_mail_part(find_issue_content(self.object), mode=mode or DEFAULT_MODE, request=self.request)
