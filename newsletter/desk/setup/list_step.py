"""Set up, the list: what people sign up to, and what the sign-up form asks."""

from typing import Any

from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from newsletter.desk.setup.pages import StepPage
from subscribers.desk.editing.short_name_form import NamedForm
from subscribers.desk.topic_form import explain_missing_topics
from subscribers.models import MailingList

FIELDS = ("name", "description", "ask_name", "ask_place", "ask_topics", "double_opt_in")
ListStepFields: Any = modelform_factory(MailingList, form=NamedForm, fields=FIELDS)


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
