"""Set up, the publication: its name and sender, days and time, and who approves."""

from django import forms
from django.db import transaction
from django.db.models import Q
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.log_actions import log

from newsletter.desk.publications.forms import PublicationForm
from newsletter.desk.publications.schedule_text import OTHER
from newsletter.desk.setup.pages import StepPage
from newsletter.issues.approval.approval_rules import find_approvers, requires_other_approver
from newsletter.models import Brand, Publication
from subscribers.models import MailingList

FIELDS = ("name", "mailing_list", "from_name", "from_email", "reply_to", "zone", "language", "approval")
SHOWN = (
    "name",
    "rhythm",
    "weekdays",
    "nth",
    "nth_day",
    "month_day",
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
    """The form of a publication with the fields that a first publication needs."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(SHOWN) - {"schedule"}:
            del self.fields[name]
        self.fields["schedule"].widget = forms.HiddenInput()
        rhythm = self.initial["rhythm"]
        self.fields["rhythm"].widget = forms.RadioSelect(
            choices=[choice for choice in self.fields["rhythm"].choices if choice[0] != OTHER or rhythm == OTHER]
        )
        self.fields["mailing_list"].widget = forms.Select(
            choices=[
                (mailing_list.pk, str(mailing_list))
                for mailing_list in MailingList.objects.filter(Q(archived=False) | Q(pk=self.instance.mailing_list_id))
            ]
        )
        self.fields["approval"].widget = forms.RadioSelect(
            choices=[
                ("approve", _("Somebody approves each issue. Without approval nothing is sent.")),
                (
                    "auto",
                    _(
                        "Each issue is sent on time, unless somebody puts it on hold, or staff wrote or edited part of it "
                        "and somebody else must approve."
                    ),
                ),
            ]
        )
        self.fields["zone"].label, self.fields["at"].help_text = _("Time zone"), ""
        self.fields["zone"].help_text = _("Calendar events that name no time zone and no place are read in it too.")
        self.fields["from_email"].help_text = _("The address that your mail comes from, such as news@example.org.")
        self.fields["approval"].help_text = describe_approval_rule(self.instance)
        if not self.is_bound:
            self._mark_rhythm_required()
        self.order_fields([*SHOWN, "schedule"])

    def full_clean(self) -> None:
        super().full_clean()
        self._mark_rhythm_required()

    def _mark_rhythm_required(self) -> None:
        """Show a star. Do it after validation: `clean` requires the fields of the chosen rhythm only."""
        for name in ("weekdays", "nth", "nth_day", "month_day", "at"):
            self.fields[name].required = True

    def _write_digest_schedule(self, cleaned: dict[str, object]) -> None:
        """Leave the digest's schedule as it is."""


class PublicationStep(StepPage):
    step_slug = "publication"
    template_name = "desk/setup/publication.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        has = {"brand": Brand.objects.exists(), "list": MailingList.objects.filter(archived=False).exists()}
        missing = [name for name, is_there in has.items() if not is_there]
        form = None if missing else self._make_form()
        return {"form": form, "missing": missing, **super().get_context_data(**kwargs)}

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        brand = Brand.objects.find_main()
        if brand is None or not MailingList.objects.filter(archived=False).exists():
            return self.show()
        form = self._make_form(request.POST)
        if not form.is_valid():
            return self.show(form=form)
        created = form.instance.pk is None
        if created:
            form.instance.brand = brand
        with transaction.atomic():
            publication = form.save()
            log(instance=publication, action="wagtail.create" if created else "wagtail.edit", user=request.user)
        return self.go_on()

    def _make_form(self, *data: object) -> PublicationStepForm:
        row = Publication.objects.filter(archived=False).first()
        initial: dict[str, object] = {}
        if row is None:
            brand, first = Brand.objects.find_main(), MailingList.objects.filter(archived=False).first()
            zone = timezone.get_current_timezone_name()
            initial = {
                "name": first.name if first else "",
                "from_name": brand.name if brand else "",
                "mailing_list": first,
                "zone": "" if zone == "UTC" else zone,
                "weekdays": ["thu"],
                "at": "09:00",
            }
        return PublicationStepForm(*data, instance=row or Publication(), initial=initial, for_user=self.request.user)


def describe_approval_rule(publication: Publication) -> str:
    """Return who may approve an issue by the rule that is in force, and whom to invite for it."""
    approvers = find_approvers().count()
    if requires_other_approver(publication) and approvers > 1:
        text = ngettext(
            "Somebody other than the author must approve. %(number)s person can approve.",
            "Somebody other than the author must approve. %(number)s people can approve.",
            approvers,
        )
        return text % {"number": approvers}
    if requires_other_approver(publication):
        return _("Somebody other than the author must approve. Only one person can approve so far: invite an approver.")
    if publication.another_approves is None:
        return _(
            "Only one person can approve so far, so that person may approve what they wrote. Once you invite a second"
            " approver, somebody other than the author must approve."
        )
    return _("An author who may approve can approve their own issue.")
