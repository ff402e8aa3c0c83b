"""Set up, the newsletter: its name and sender, days and time, and who approves."""

from typing import Any

from django import forms
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from newsletter.desk.publications.forms import PublicationForm
from newsletter.desk.publications.schedule_text import WEEKLY
from newsletter.desk.setup.pages import StepPage
from newsletter.models import Brand, Publication
from subscribers.models import MailingList

FIELDS = ("name", "mailing_list", "from_name", "from_email", "reply_to", "zone", "language", "approval")
SHOWN = (
    "name",
    "weekdays",
    "at",
    "zone",
    "approval",
    "from_name",
    "from_email",
    "reply_to",
    "mailing_list",
    "language",
)
_ModelFields = modelform_factory(Publication, form=PublicationForm, fields=[*FIELDS, "schedule"])


class PublicationStepForm(_ModelFields):  # type: ignore[misc, valid-type]  # a class that a function makes
    """The form of a publication with the fields of a weekly newsletter."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(SHOWN) - {"rhythm", "schedule"}:
            del self.fields[name]
        self.fields["rhythm"].widget = self.fields["schedule"].widget = forms.HiddenInput()
        self.initial["rhythm"] = WEEKLY
        self.fields["mailing_list"].widget = forms.Select(
            choices=[(one.pk, str(one)) for one in MailingList.objects.all()]
        )
        self.fields["approval"].widget = forms.RadioSelect(
            choices=[
                ("approve", _("Somebody approves each issue. Without approval nothing is sent.")),
                ("auto", _("Each issue is sent on time, unless somebody puts it on hold.")),
            ]
        )
        self.fields["zone"].label, self.fields["at"].help_text = _("Time zone"), ""
        self.fields["from_email"].help_text = _("The address that your mail comes from, such as news@example.org.")
        self.order_fields([*SHOWN, "rhythm", "schedule"])

    def _write_digest_schedule(self, cleaned: dict[str, object]) -> None:
        """Leave the digest's schedule as it is."""


class PublicationStep(StepPage):
    step_slug = "publication"
    template_name = "desk/setup/publication.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        missing = [name for name, model in (("brand", Brand), ("list", MailingList)) if not model.objects.exists()]
        form = None if missing else self._make_form()
        return {"form": form, "missing": missing, **super().get_context_data(**kwargs)}

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        brand = Brand.objects.first()
        if brand is None or not MailingList.objects.exists():
            return self.show()
        form = self._make_form(request.POST)
        if not form.is_valid():
            return self.show(form=form)
        created = form.instance.pk is None
        if created:
            form.instance.brand = brand
        publication = form.save()
        log(instance=publication, action="wagtail.create" if created else "wagtail.edit", user=request.user)
        return self.go_on()

    def _make_form(self, *data: object) -> Any:
        row = Publication.objects.first()
        initial: dict[str, object] = {}
        if row is None:
            brand, first = Brand.objects.first(), MailingList.objects.first()
            initial = {
                "name": first.name if first else "",
                "from_name": brand.name if brand else "",
                "mailing_list": first,
                "zone": timezone.get_current_timezone_name(),
                "weekdays": ["thu"],
                "at": "09:00",
            }
        return PublicationStepForm(*data, instance=row or Publication(), initial=initial, for_user=self.request.user)
