"""The form of a publication, with its provider accounts. It turns days and times into cron schedules and checks them."""

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from wagtail.snippets.widgets import AdminSnippetChooser

from newsletter.common.errors import BadSchedule
from newsletter.common.languages import best_language
from newsletter.common.schedule import check_schedule
from newsletter.common.translation import language_choices, translate
from newsletter.content.ingesting.home_location import find_usual_zone, rereading_events_if_home_zone_changes
from newsletter.desk.content.zone_choices import zone_choices
from newsletter.desk.publications.schedule_text import (
    DAYS,
    MONTHLY,
    NTH,
    NTH_WEEKDAYS,
    OTHER,
    WEEKLY,
    ScheduleChoice,
    format_cron,
    parse_schedule,
)
from newsletter.issues.snapshot.drafted_subjects import SUBJECT_PLACEHOLDERS, find_unknown_placeholder
from newsletter.models import Brand, Publication
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.rendering.errors import MergeError
from newsletter.rendering.merge import fill_defaults
from newsletter.sending.accounts import find_account, has_further_accounts, list_usable_accounts
from subscribers.desk.editing.short_name_form import CleanedData, NamedForm
from subscribers.models import MailingList

_FIRST_SCHEDULE = "0 9 * * thu"
_KEPT_FROM_THE_LAST = ("from_name", "from_email", "reply_to", "brand")
"""The fields that a new publication copies from the newest one."""
ACCOUNT_FIELDS = ("account", "second_account", "second_warm_up_from")


class PublicationForm(NamedForm):
    """A publication without a time zone gets the browser's proposed."""

    class Media:
        js = ("newsletter/browser_zone.js",)

    languages = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("Further languages"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Readers of these languages get the texts that you translate, and the rest in the language above."
        ),
    )
    rhythm = forms.ChoiceField(
        required=False,
        label=gettext_lazy("How often"),
        choices=[
            (WEEKLY, gettext_lazy("Every week")),
            (NTH, gettext_lazy("Once or twice a month, by weekday")),
            (MONTHLY, gettext_lazy("Once a month, by date")),
            (OTHER, gettext_lazy("Custom schedule (see Advanced)")),
        ],
    )
    weekdays = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Every"), choices=DAYS, widget=forms.CheckboxSelectMultiple
    )
    nth = forms.ChoiceField(required=False, label=gettext_lazy("Which of the month"), choices=NTH_WEEKDAYS)
    nth_day = forms.ChoiceField(required=False, label=gettext_lazy("Day of the week"), choices=DAYS)
    month_day = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=28,
        label=gettext_lazy("Day of the month"),
        help_text=gettext_lazy("1 to 28, because every month has these days."),
    )
    at = forms.TimeField(
        required=False,
        label=gettext_lazy("At"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("In the publication’s time zone."),
    )
    digest_day = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=28,
        label=gettext_lazy("Day of the month"),
        help_text=gettext_lazy("Empty for a custom schedule (see Advanced)."),
    )
    digest_at = forms.TimeField(
        required=False, label=gettext_lazy("At"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        choice = parse_schedule(self.instance.schedule or _FIRST_SCHEDULE)
        digest = parse_schedule(self.instance.digest_schedule)
        monthly = digest.kind == MONTHLY
        self.initial: dict[str, object] = {
            "rhythm": choice.kind,
            "weekdays": list(choice.days),
            "nth": choice.nth,
            "nth_day": choice.days[0] if choice.days else "thu",
            "month_day": choice.day,
            "at": choice.at,
            "digest_day": digest.day if monthly else None,
            "digest_at": digest.at if monthly else None,
            **({} if self.instance.pk or self.instance.name else find_first_values()),
            **self.initial,
        }
        for field in self.fields.values():
            if isinstance(field.widget, AdminSnippetChooser):  # its texts were translated when the program started
                field.widget.choose_one_text = _("Choose one")
                field.widget.choose_another_text = _("Choose another")
        if "language" in self.fields:
            self.fields["language"].widget = forms.Select(choices=language_choices(self.instance.language)[1:])
        if "languages" in self.fields:
            self.fields["languages"].choices = language_choices("")[1:]
        if "zone" in self.fields:
            zone = str(self.initial.get("zone") or "")
            proposed = {} if zone else {"data-controller": "nl-browser-zone"}
            self.fields["zone"].widget = forms.Select(choices=zone_choices(zone), attrs=proposed)
        if "another_approves" in self.fields:
            self.fields["another_approves"].widget.choices = [
                ("unknown", _("Yes, if two or more people can approve")),
                ("true", _("Yes")),
                ("false", _("No")),
            ]
        for name in ("schedule", "digest_schedule"):
            if name in self.fields:
                self.fields[name].required = False
        offer_accounts(self.fields, self.instance)

    def save(self, commit: bool = True) -> object:
        with rereading_events_if_home_zone_changes():
            return super().save(commit=commit)

    def clean_subject(self) -> str:
        """Refuse a placeholder or personal field that no issue could fill in."""
        subject: str = self.cleaned_data["subject"]
        unknown = find_unknown_placeholder(subject)
        if unknown:
            placeholders = ", ".join("{" + name + "}" for name in SUBJECT_PLACEHOLDERS)
            raise forms.ValidationError(
                _("“%(unknown)s” stands for nothing here. You can use %(known)s.")
                % {"unknown": "{" + unknown + "}", "known": placeholders}
            )
        return _check_merge_fields(subject)

    def clean_intro(self) -> str:
        return _check_merge_fields(self.cleaned_data["intro"])

    def clean(self) -> CleanedData:
        cleaned = super().clean()
        self._write_schedule(cleaned)
        self._write_digest_schedule(cleaned)
        zone = cleaned.get("zone")
        for name in ("schedule", "digest_schedule"):
            schedule = cleaned.get(name)
            if not schedule or not zone:
                continue
            try:
                cleaned[name] = check_schedule(schedule=schedule, zone=zone)
            except BadSchedule as error:
                self.add_error(name if zone in available_timezones() else "zone", translate(error))
        return cleaned

    def _write_schedule(self, cleaned: CleanedData) -> None:
        """Write the cron schedule of the chosen days and time, unless the schedule is a custom one."""
        kind = cleaned.get("rhythm") or OTHER
        days, day, at = cleaned.get("weekdays") or [], cleaned.get("month_day"), cleaned.get("at")
        if kind == OTHER:
            if not cleaned.get("schedule") and "schedule" not in self.errors:
                self.add_error("schedule", _("Enter a schedule, or choose days above."))
            return
        if kind == WEEKLY and not days:
            self.add_error("weekdays", _("Choose at least one day."))
        elif kind == MONTHLY and not day:
            self.add_error("month_day", _("Choose a day of the month."))
        elif kind == NTH and not (cleaned.get("nth") and cleaned.get("nth_day")):
            self.add_error("nth", _("Choose which weekday of the month."))
        elif at is None:
            self.add_error("at", _("Enter the time when it is sent."))
        else:
            chosen = [cleaned["nth_day"]] if kind == NTH else days
            choice = ScheduleChoice(kind=kind, at=at, days=tuple(chosen), day=day, nth=cleaned.get("nth") or "")
            cleaned["schedule"] = format_cron(choice)

    def _write_digest_schedule(self, cleaned: CleanedData) -> None:
        """Write the cron schedule of the digest's day and time, unless somebody edited the custom one."""
        day, at = cleaned.get("digest_day"), cleaned.get("digest_at")
        custom = "digest_schedule" in self.changed_data and cleaned.get("digest_schedule")
        if (day or at) and not custom:
            if day is None:
                self.add_error("digest_day", _("Choose a day of the month."))
            elif at is None:
                self.add_error("digest_at", _("Enter the time when it is sent."))
            else:
                cleaned["digest_schedule"] = format_cron(ScheduleChoice(kind=MONTHLY, at=at, day=day))
        elif not cleaned.get("digest_schedule"):
            self.add_error("digest_day", _("Choose a day of the month."))


def find_first_values() -> dict[str, object]:
    """Return the initial values of a new publication.

    It takes the newest publication's sender and the time zone of most publications, and is off until somebody turns it on.
    The first one takes the only brand
    and is on. The list is the only one, unless another publication is sent to it.
    """
    first: dict[str, object] = {"language": best_language([get_language() or "", "en"])}
    lists = list(MailingList.objects.filter(archived=False)[:2])
    if len(lists) == 1 and not Publication.objects.filter(mailing_list=lists[0]).exists():
        first["mailing_list"] = lists[0]
    last = Publication.objects.filter(archived=False).order_by("-made_at", "-pk").first()
    brands = list(Brand.objects.filter(archived=False)[:2])
    if last is not None:
        copied = {name: getattr(last, name) for name in _KEPT_FROM_THE_LAST}
        if last.brand.archived:
            copied["brand"] = brands[0] if len(brands) == 1 else None
        return {**first, "enabled": False, "zone": find_usual_zone(), **copied}
    first["zone"] = "" if settings.TIME_ZONE == "UTC" else settings.TIME_ZONE
    if len(brands) == 1:
        first |= {"brand": brands[0], "from_name": brands[0].name}
    return first


def _check_merge_fields(text: str) -> str:
    try:
        fill_defaults(text)
    except MergeError as error:
        raise forms.ValidationError(translate(error)) from error
    return text


def offer_accounts(fields: dict[str, forms.Field], publication: Publication) -> None:
    """Offer the usable accounts, or remove the fields if there is no choice."""
    chosen = (publication.account, publication.second_account)
    if not has_further_accounts() and chosen == (DEFAULT_ACCOUNT, ""):
        for name in ACCOUNT_FIELDS:
            fields.pop(name, None)
        return
    names = [account.name for account in list_usable_accounts()]
    for name, current, empty in (
        ("account", publication.account, []),
        ("second_account", publication.second_account, [("", _("None: the send waits"))]),
    ):
        if name in fields:
            # A chosen account that is gone stays in the list, so that saving another field does not change it unseen.
            offered = [*names, *([current] if current and current not in names else [])]
            fields[name] = forms.ChoiceField(
                label=fields[name].label,
                help_text=fields[name].help_text,
                required=not empty,
                choices=[*empty, *((option, _label(option)) for option in offered)],
                error_messages={
                    "invalid_choice": _(
                        "The provider account “%(value)s” cannot be used, so it was not chosen. Choose one from the list."
                    )
                },
            )


def _label(name: str) -> str:
    account = find_account(name)
    if account is None or account.problem:
        return _("%(account)s (not configured)") % {"account": name}
    return f"{name} – {account.label}"
