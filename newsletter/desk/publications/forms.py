"""The form of a publication. It turns the chosen days and time into a cron schedule and checks it."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.snippets.widgets import AdminSnippetChooser

from newsletter.common.errors import BadSchedule
from newsletter.common.languages import language_choices
from newsletter.common.translation import translate
from newsletter.desk.publications.schedule_text import (
    DAYS,
    MONTHLY,
    OTHER,
    WEEKLY,
    ScheduleChoice,
    format_cron,
    parse_schedule,
)
from newsletter.issues.assembly.schedule import check_schedule
from newsletter.models import Publication


class PublicationForm(WagtailAdminModelForm):
    rhythm = forms.ChoiceField(
        required=False,
        label=gettext_lazy("How often"),
        choices=[
            (WEEKLY, gettext_lazy("On days of the week")),
            (MONTHLY, gettext_lazy("Once a month")),
            (OTHER, gettext_lazy("Custom schedule (below)")),
        ],
    )
    weekdays = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("On these days"),
        choices=DAYS,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("For a weekly schedule."),
    )
    month_day = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=28,
        label=gettext_lazy("Day of the month"),
        help_text=gettext_lazy("For a monthly schedule: 1 to 28, because every month has these days."),
    )
    at = forms.TimeField(
        required=False,
        label=gettext_lazy("At"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("In the publication’s time zone."),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        choice = parse_schedule(self.instance.schedule) if self.instance.schedule else ScheduleChoice(kind=WEEKLY)
        self.initial: dict[str, object] = {
            "rhythm": choice.kind,
            "weekdays": list(choice.days),
            "month_day": choice.day,
            "at": choice.at,
            **self.initial,
        }
        for field in self.fields.values():
            if isinstance(field.widget, AdminSnippetChooser):  # its texts were translated when the program started
                field.widget.choose_one_text = _("Choose one")
                field.widget.choose_another_text = _("Choose another")
        if "language" in self.fields:
            self.fields["language"].widget = forms.Select(choices=language_choices(self.instance.language)[1:])
        if "clicks" in self.fields and self.instance.clicks != Publication.Clicks.READERS:
            self.fields["clicks"].choices = [
                choice for choice in Publication.Clicks.choices if choice[0] != Publication.Clicks.READERS
            ]
        if "another_approves" in self.fields:
            self.fields["another_approves"].widget.choices = [
                ("unknown", _("Yes, if two or more people can approve")),
                ("true", _("Yes")),
                ("false", _("No")),
            ]
        if "schedule" in self.fields:
            self.fields["schedule"].required = False
            self.fields["schedule"].help_text = _(
                "For a custom schedule only: minute, hour, day, month, weekday, such as 0 9 * * mon,thu."
            )

    def clean(self) -> Any:
        cleaned = super().clean()
        self._write_schedule(cleaned)
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

    def _write_schedule(self, cleaned: dict[str, Any]) -> None:
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
        elif at is None:
            self.add_error("at", _("Enter the time when it is sent."))
        else:
            cleaned["schedule"] = format_cron(ScheduleChoice(kind=kind, at=at, days=tuple(days), day=day))
