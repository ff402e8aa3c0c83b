"""The pages of single mails: templates with the latest mails, one template with its texts and steps, and its preview."""

from collections.abc import Callable
from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.log_actions import log

from newsletter.common.errors import BadValue, DomainError
from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.common.translation import language_label, translate
from newsletter.desk.issues.issue_page import DeskPage, IssuePermissionMixin
from newsletter.desk.mails.forms import FieldsForm, NewTemplateForm, TextForm
from newsletter.desk.preview.mail_iframe import apply_look, iframe_response, open_links_outside
from newsletter.models import MailTemplate, Publication, TemplateMail
from newsletter.sending.notices.mail_templates import (
    approve_template,
    delete_template,
    make_template,
    remove_text,
    save_fields,
    save_text,
    withdraw_approval,
)
from newsletter.sending.notices.template_mails import find_template_sender
from newsletter.sending.notices.template_terms import find_template_problem
from newsletter.sending.notices.template_texts import fill_fields, hash_template, is_approved, render_template_mail

MAILS_PER_PAGE = 25
TEMPLATES = MailTemplate.objects.select_related("publication__brand", "approved_by")
LOG_ACTIONS = {
    "mail_template_made": (gettext_lazy("Add a mail template"), gettext_lazy("Mail template added")),
    "mail_template_edited": (gettext_lazy("Edit a mail template"), gettext_lazy("Mail template edited")),
    "mail_template_approved": (gettext_lazy("Approve a mail template"), gettext_lazy("Mail template approved")),
    "mail_template_withdrawn": (
        gettext_lazy("Withdraw the approval of a mail template"),
        gettext_lazy("Approval of a mail template withdrawn"),
    ),
    "mail_template_deleted": (gettext_lazy("Delete a mail template"), gettext_lazy("Mail template deleted")),
}


class MailTemplatesPage(DeskPage):
    template_name = "desk/mails/all.html"
    header_icon = "mail"
    page_title = gettext_lazy("Single mails")
    any_permission_required = ["change"]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        mails = TemplateMail.objects.select_related("template", "api_key").order_by("-pk")
        return {
            "form": NewTemplateForm(),
            "has_publication": Publication.objects.exists(),
            "templates": [
                (template, is_approved(template), find_template_problem(template) is not None)
                for template in TEMPLATES.all()
            ],
            "page": Paginator(mails, MAILS_PER_PAGE).get_page(self.request.GET.get("p")),
            **super().get_context_data(**kwargs),
        }

    @transaction.atomic
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        form = NewTemplateForm(request.POST)
        if form.is_valid():
            try:
                made = make_template(**form.cleaned_data, by=cast(User, request.user), now=timezone.now())
            except DomainError as error:
                form.add_error("name", translate(error))
            else:
                log(instance=made, action="newsletter.mail_template_made", user=request.user)
                return redirect("newsletter_mail_template", made.pk)
        return self.refuse(form=form)


class MailTemplatePage(DeskPage):
    """GET shows one template; POST does the step that its button names."""

    template_name = "desk/mails/template.html"
    header_icon = "mail"
    any_permission_required = ["change"]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.template = get_object_or_404(TEMPLATES, pk=kwargs["pk"])
        self.steps: dict[str, Callable[[], HttpResponse]] = {
            "fields": self._save_fields,
            "text": self._save_text,
            "remove": self._remove_text,
            "approve": self._approve,
            "withdraw": self._withdraw,
            "delete": self._delete,
        }
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return self.template.name

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Single mails"), reverse("newsletter_mails"))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        template, language = self.template, self._find_language()
        text = template.texts.filter(language=language).first()
        written = [one.language for one in template.texts.all()]
        usual_language = template.publication.language
        return {
            "mail_template": template,
            "is_approved": is_approved(template),
            "problem": translate(find_template_problem(template) or ""),
            "has_mails": template.mails.exists(),
            "was_approved": bool(template.approved_sha256),
            "sha256": hash_template(template),
            "can_approve": self.request.user.has_perm("newsletter.approve_issue"),
            "language": language,
            "language_name": language_label(language),
            "languages": [
                (code, language_label(code), code in written)
                for code in dict.fromkeys([usual_language, *written, *OFFERED_LANGUAGES])
            ],
            "is_main": language == usual_language,
            "text": text,
            "sample_subject": fill_fields(text.subject, template.fields) if text else "",
            "fields_form": FieldsForm.of(template),
            "text_form": TextForm.of(text),
            **super().get_context_data(**kwargs),
        }

    @transaction.atomic
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        step = self.steps.get(request.POST.get("step", ""))
        if step is None:
            raise Http404("There is no such step.")
        return step()

    def _find_language(self) -> str:
        usual_language = self.template.publication.language
        language = self.request.GET.get("language", "") or usual_language
        languages = {usual_language, *OFFERED_LANGUAGES, *self.template.texts.values_list("language", flat=True)}
        return language if language in languages else usual_language

    def _save_fields(self) -> HttpResponse:
        form = FieldsForm(self.request.POST)

        def save() -> None:
            values = form.cleaned_data
            save_fields(
                template=self.template,
                publication=values["publication"],
                fields=values["fields_text"],
                by=cast(User, self.request.user),
                now=timezone.now(),
            )

        return self._save("fields_form", form, save)

    def _save_text(self) -> HttpResponse:
        form = TextForm(self.request.POST)

        def save() -> None:
            save_text(
                template=self.template,
                language=self._find_language(),
                texts=form.cleaned_data,
                by=cast(User, self.request.user),
                now=timezone.now(),
            )

        return self._save("text_form", form, save)

    def _save(self, name: str, form: forms.BaseForm, save: Callable[[], None]) -> HttpResponse:
        if form.is_valid():
            try:
                save()
            except DomainError as error:
                field = error.name if isinstance(error, BadValue) and error.name in form.fields else None
                form.add_error(field, translate(error))
            else:
                return self._done("mail_template_edited", _("Saved. An approver has to approve it before it is sent."))
        return self.refuse(**{name: form})

    def _remove_text(self) -> HttpResponse:
        remove_text(
            template=self.template,
            language=self._find_language(),
            by=cast(User, self.request.user),
            now=timezone.now(),
        )
        return self._done("mail_template_edited", _("The texts in this language are deleted."))

    def _approve(self) -> HttpResponse:
        sha256 = self.request.POST.get("sha256", "")
        try:
            approve_template(
                template=self.template, sha256=sha256, by=cast(User, self.request.user), now=timezone.now()
            )
        except DomainError as error:
            messages.error(self.request, translate(error))
            return redirect("newsletter_mail_template", self.template.pk)
        return self._done("mail_template_approved", _("Approved. Other systems can send it now."))

    def _withdraw(self) -> HttpResponse:
        withdraw_approval(template=self.template)
        return self._done("mail_template_withdrawn", _("The approval is withdrawn. Nothing more is sent from it."))

    def _delete(self) -> HttpResponse:
        try:
            delete_template(template=self.template)
        except DomainError as error:
            messages.error(self.request, translate(error))
            return redirect("newsletter_mail_template", self.template.pk)
        log(instance=self.template, action="newsletter.mail_template_deleted", user=self.request.user)
        messages.success(self.request, _("“%(name)s” is deleted.") % {"name": self.template.name})
        return redirect("newsletter_mails")

    def _done(self, action: str, text: str) -> HttpResponse:
        data = {"language": self._find_language()}
        log(instance=self.template, action=f"newsletter.{action}", user=self.request.user, data=data)
        messages.success(self.request, text)
        return redirect(
            f"{reverse('newsletter_mail_template', args=[self.template.pk])}?language={self._find_language()}"
        )


class MailTemplatePreview(IssuePermissionMixin, View):
    """An iframe with the mail in one language, with the samples of its fields."""

    any_permission_required = ["change"]

    def get(self, request: HttpRequest, pk: int, language: str) -> HttpResponse:
        template = get_object_or_404(TEMPLATES, pk=pk)
        text = get_object_or_404(template.texts, language=language)
        mail = render_template_mail(text, template.fields, sender=find_template_sender(template))
        return iframe_response(open_links_outside(apply_look(mail.html, look="mail")))
