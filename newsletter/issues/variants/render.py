"""Render the mail of one variant from an issue's content, and check it. Nothing is stored."""

import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings

from newsletter.issues.snapshot.consent_rules import check_stories
from newsletter.issues.snapshot.records.content import IssueContent, hash_content
from newsletter.issues.snapshot.redact import remove_blocks, remove_stories
from newsletter.issues.variants.documents import make_document
from newsletter.issues.variants.mail_links import track_links
from newsletter.issues.variants.subject_assignment import NO_TEST
from newsletter.issues.visible.visible_content import VisibleContent
from newsletter.rendering.blocks import Document
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.lint.findings import Finding
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import render


@dataclass(frozen=True)
class RenderedVariant:
    """One variant before it is stored: its content, its mail, and the findings of the checks."""

    visible: VisibleContent
    mail: RenderedMail
    findings: list[Finding]
    public_id: str


def render_visible(content: IssueContent, *, visible: VisibleContent) -> RenderedVariant:
    """Render and check one variant. Store nothing."""
    public_id = make_public_id(content, visible)
    document, mail = _render(content, visible=visible, public_id=public_id)
    findings = [
        *lint_mail(mail, document=document),
        *check_stories(
            remove_stories(
                remove_blocks(content.in_language(visible.language), keys=visible.closed), stories=visible.hidden
            )
        ),
    ]
    return RenderedVariant(visible=visible, mail=mail, findings=findings, public_id=public_id)


def render_mail(content: IssueContent, *, visible: VisibleContent, public_id: str) -> RenderedMail:
    """Return the mail of one variant whose page on the web has this id. It is not checked."""
    return _render(content, visible=visible, public_id=public_id)[1]


def _render(content: IssueContent, *, visible: VisibleContent, public_id: str) -> tuple[Document, RenderedMail]:
    document = make_document(content, visible=visible, view_online=f"{settings.NEWSLETTER_SITE_URL}/view/{public_id}")
    issue, clicks = content.issue.public_id, content.publication.clicks
    return document, track_links(render(document), issue=issue, clicks=clicks, arm=max(visible.arm, NO_TEST))


def render_preview(content: IssueContent, *, visible: VisibleContent) -> RenderedMail:
    """Return the mail of one variant with marked blocks, for the desk's editor. It is not checked and never sent."""
    return render(make_document(content, visible=visible, view_online=""), marked=True)


def make_public_id(content: IssueContent, visible: VisibleContent) -> str:
    """Return the unguessable id of the variant's page on the web. The same content has the same id."""
    message = f"{hash_content(content)}/{visible.key}".encode()
    return hmac.new(settings.SUBSCRIBERS_ADDRESS_KEY.encode(), b"view:" + message, hashlib.sha256).hexdigest()[:32]
