"""The page of saved blocks and templates, their pictures, and the forms that rename and delete one."""

import secrets
from typing import TypedDict, cast

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View

from newsletter.common.errors import NotReady
from newsletter.desk.editor.preview import DEFAULT_MODE, show_mail_part
from newsletter.desk.issues.issue_page import DeskPage, IssuePermissionMixin
from newsletter.desk.issues.planning.form_page import ServiceFormPage
from newsletter.desk.issues.reuse.issue_forms import NameForm
from newsletter.desk.preview.panel import show_or_explain
from newsletter.issue_checks.variant_groups import choose_visible, render_for_group
from newsletter.issues.comments.block_labels import label_block
from newsletter.issues.reuse.templates import delete_saved, fill_template, rename_saved
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.issues.variants.documents import make_document
from newsletter.issues.variants.recipient_groups import RecipientGroup
from newsletter.models import Issue, IssueTemplate, Publication, SavedBlock, SavedRow
from newsletter.rendering.mail import RenderedMail

KINDS: dict[str, type[SavedRow]] = {"block": SavedBlock, "template": IssueTemplate}
SAVED = r"(?P<kind>block|template)/(?P<pk>\d+)"
"""The part of an address that names a saved block or a template."""


class SavedContext(TypedDict):
    """The context of desk/saved.html. ``blocks`` are (saved block, kind in words)."""

    templates: list[IssueTemplate]
    blocks: list[tuple[SavedBlock, str]]


class SavedPage(DeskPage):
    template_name = "desk/saved.html"
    header_icon = "copy"
    page_title = gettext_lazy("Saved content")
    any_permission_required = ["change"]

    def list_parents(self) -> list[tuple[str, str]]:
        return [_link_issues()]

    def get_context_data(self, **kwargs: str) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), **self._saved_context()}

    def _saved_context(self) -> SavedContext:
        blocks = SavedBlock.objects.select_related("made_by")
        return {
            "templates": list(IssueTemplate.objects.select_related("made_by", "publication")),
            "blocks": [(block, label_block(block.body[0])) for block in blocks],
        }


class SavedMail(IssuePermissionMixin, View):
    """The mail of a saved block alone, or of an issue that would begin with a template now."""

    any_permission_required = ["change"]

    def get(self, request: HttpRequest, kind: str, pk: str) -> HttpResponse:
        row = get_object_or_404(KINDS[kind], pk=pk)

        def show(mode: str) -> HttpResponse:
            content = resolve_complete_content(make_sample_issue(row))
            return show_mail_part(content, mode=mode, request=request, render=render_filled)

        return show_or_explain(show, DEFAULT_MODE, request=request)


class _SavedFormPage(ServiceFormPage):
    row: SavedRow

    @property
    def back_url(self) -> str:  # type: ignore[override]
        return reverse("newsletter_saved")

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: str) -> HttpResponseBase:
        self.row = get_object_or_404(KINDS[kwargs["kind"]], pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def list_parents(self) -> list[tuple[str, str]]:
        return [_link_issues(), (_("Saved content"), self.back_url)]


class RenameSaved(_SavedFormPage):
    form_class = NameForm
    button = gettext_lazy("Save name")

    def get_page_title(self) -> str:
        return _("Rename “%(name)s”") % {"name": self.row}

    def get_initial(self) -> dict[str, object]:
        return {"name": self.row.name}

    def run(self, form: forms.Form) -> str:
        old = self.row.name
        rename_saved(row=self.row, name=form.cleaned_data["name"], by=cast(User, self.request.user))
        message = _("It is called “%(name)s” now.") % {"name": self.row}
        self.done("saved_renamed", instance=self.row, message=message, before=old)
        return self.back_url


class DeleteSaved(_SavedFormPage):
    form_class = forms.Form
    button = gettext_lazy("Delete")
    dangerous = True

    def get_page_title(self) -> str:
        return _("Delete “%(name)s”") % {"name": self.row}

    def list_sentences(self) -> list[str]:
        return [_("Issues that were made with it stay as they are. This cannot be undone.")]

    def run(self, form: forms.Form) -> str:
        name = self.row.name
        self.done("saved_deleted", instance=self.row, message=_("“%(name)s” is deleted.") % {"name": name})
        delete_saved(row=self.row, by=cast(User, self.request.user))
        return self.back_url


def render_filled(content: IssueContent, *, group: RecipientGroup) -> RenderedMail:
    """Render the mail of a group. Raises NotReady if none of its blocks shows anything."""
    visible = choose_visible(content, group=group)
    if not make_document(content, visible=visible, view_online="").blocks:
        raise NotReady(
            "Nobody would see anything of this in a mail now, or only readers in some places. Its stories, events or appeals "
            "may be withdrawn, deleted or over. Delete it, or insert it into an issue and choose others there."
        )
    return render_for_group(content, group=group)


def make_sample_issue(row: SavedRow) -> Issue:
    """Return an unsaved issue that shows the row. Raises NotReady if there is no publication."""
    now = timezone.now()
    publications = Publication.objects.order_by("archived", "-enabled", "pk")
    publication = row.publication if isinstance(row, IssueTemplate) else publications.first()
    if publication is None:
        raise NotReady("There is no publication yet, so there is no mail to show the block in.")
    issue = Issue(publication=publication, number=1, public_id=secrets.token_hex(12), made_at=now, subject=row.name)
    if isinstance(row, IssueTemplate):
        issue.layout, issue.headline = row.layout, row.headline
        issue.body = fill_template(row, issue=issue, now=now).body
    elif isinstance(row, SavedBlock):
        issue.body = row.body
    return issue


def _link_issues() -> tuple[str, str]:
    return _("Issues"), reverse("wagtailsnippets_newsletter_issue:list")
