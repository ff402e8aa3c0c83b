"""Pages of the set-up's smaller steps."""

from contextlib import suppress
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.generic import View
from wagtail.log_actions import log

from newsletter.desk.editor.preview import DEFAULT_MODE, show_mail_part
from newsletter.desk.preview.panel import show_or_explain
from newsletter.desk.publications.brands import make_sample_issue
from newsletter.desk.setup.brand_step import BrandStepFields
from newsletter.desk.setup.pages import StepPage
from newsletter.desk.setup.publication_step import describe_approval_rule
from newsletter.desk.setup.steps import REQUIRED_PERMISSION
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.models import Brand, Publication
from subscribers.desk.editing.short_name_form import NamedForm
from subscribers.desk.embedded_form import join_url, render_embed_form
from subscribers.desk.person_actions import require_permission
from subscribers.desk.topic_form import explain_missing_topics
from subscribers.models import MailingList, Subscription

_COLOURS = ("colour", "accent", "background")
FIELDS = ("name", "description", "ask_name", "ask_place", "ask_topics", "double_opt_in")
ListStepFields: Any = modelform_factory(MailingList, form=NamedForm, fields=FIELDS)


class BrandSample(View):
    """An iframe: GET shows the saved look, POST that of the form."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_permission(request, REQUIRED_PERMISSION)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(Brand.objects.find_main() or Brand())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = BrandStepFields(
            request.POST, request.FILES, instance=Brand.objects.find_main() or Brand(), for_user=request.user
        )
        form.is_valid()
        brand = form.instance
        for name in _COLOURS:  # also those that are too pale to be saved: the mail corrects them
            with suppress(ValidationError):
                setattr(brand, name, form.fields[name].clean(form[name].data))
        return self._show(brand)

    def _show(self, brand: Brand) -> HttpResponse:
        brand.name = brand.name or _("Your organisation")

        def show(mode: str) -> HttpResponse:
            content = resolve_complete_content(make_sample_issue(brand))
            return show_mail_part(content, mode=mode, request=self.request)

        return show_or_explain(show, DEFAULT_MODE, request=self.request)


class ListStep(StepPage):
    step_slug = "list"
    template_name = "desk/setup/form.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {"form": self._make_form(), **super().get_context_data(**kwargs)}

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        form = self._make_form(request.POST)
        if not form.is_valid():
            return self.show(form=form)
        created = form.instance.pk is None
        with transaction.atomic():
            mailing_list = form.save()
            log(instance=mailing_list, action="wagtail.create" if created else "wagtail.edit", user=request.user)
        return self.go_on()

    def _make_form(self, *data: object) -> NamedForm:
        row = MailingList.objects.filter(archived=False).first() or MailingList()
        form: NamedForm = ListStepFields(*data, instance=row, for_user=self.request.user)
        form.fields["name"].help_text = _("People see it when they sign up, such as “The weekly letter”.")
        form.fields["description"].help_text = _("One sentence: what they get, and how often.")
        form.fields["ask_topics"].help_text = explain_missing_topics()
        form.fields["description"].widget.attrs["rows"] = 2
        return form


class PeopleStep(StepPage):
    step_slug = "people"
    template_name = "desk/setup/people.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        mailing_list = MailingList.objects.filter(public=True).first()
        publication = Publication.objects.filter(archived=False).first()
        needs_approval = publication is not None and publication.approval == Publication.ApprovalPolicy.APPROVE
        return {
            "mailing_list": mailing_list,
            "join_url": join_url(mailing_list) if mailing_list else "",
            "form_html": render_embed_form(mailing_list) if mailing_list else "",
            "subscribers": Subscription.objects.filter(ended_at__isnull=True).count(),
            "approval_rule": describe_approval_rule(publication) if publication and needs_approval else "",
            "staff": User.objects.filter(is_active=True).count(),
            **super().get_context_data(**kwargs),
        }
