"""Change a person's choices for them, if they ask by telephone or by letter. They can change these themselves as well."""

from datetime import datetime
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.log_actions import log

from newsletter.common.staff_pages import StaffTemplatePage
from newsletter.common.translation import language_choices
from subscribers.desk.labels import identify_person
from subscribers.desk.person_actions import (
    RENAME_PERMISSION,
    REVEAL_PERMISSION,
    changes_person,
    lock_person,
    require_permission,
)
from subscribers.models import Frequency, Giving, MailingList, Subscriber, SubscriberLocation, Subscription, Topic
from subscribers.people.bulk_actions import take_off_list
from subscribers.people.bulk_update import Outcome, PersonUpdate, update_people
from subscribers.people.locations import get_location_row
from subscribers.people.preferences import (
    PAUSE_LENGTHS,
    pause_mail,
    paused_until,
    save_preferences,
    set_frequencies,
)
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.web.form_fields import AmbiguousTown, RemainingRowsField, read_known_town
from subscribers.web.preference_form import radius_choices

_KEEP, _OFF = "keep", "off"


class DetailsForm(forms.Form):
    """The choices of one person. `often_<id>` is the frequency of each list that they are on.

    It remembers the values that the page showed. `changed_data` thus leaves out what the person changed meanwhile.
    """

    meant = forms.ChoiceField(label=gettext_lazy("Which one?"), required=False, widget=forms.RadioSelect)
    town = forms.CharField(
        label=gettext_lazy("Location"),
        help_text=gettext_lazy("A town, a region or a country. Leave it empty if it is not known."),
        required=False,
        show_hidden_initial=True,
    )
    radius = forms.TypedChoiceField(
        label=gettext_lazy("How far they travel to an event"),
        coerce=int,
        empty_value=None,
        required=False,
        show_hidden_initial=True,
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False, show_hidden_initial=True)
    topics = RemainingRowsField(
        label=gettext_lazy("Topics"),
        help_text=gettext_lazy("Without a topic, they get all topics."),
        queryset=Topic.objects.order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        show_hidden_initial=True,
    )
    giving = forms.ChoiceField(label=gettext_lazy("Giving"), required=False, show_hidden_initial=True)

    def __init__(self, data: object = None, *, person: Subscriber, now: datetime) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.person = person
        self.subscriptions = list(Subscription.objects.open().filter(subscriber=person).select_related("mailing_list"))
        self.initial = {
            "town": str(person.place or ""),
            "radius": person.radius_km or "",
            "language": person.language,
            "topics": [topic.pk for topic in person.topics.all()],
            "giving": person.giving,
            "pause": _KEEP,
        }
        self._set_choices("radius", radius_choices(person.radius_km))
        self._set_choices("language", language_choices(person.language))
        self._set_choices("giving", [(status.value, str(status.label)) for status in Giving])
        self._set_choices("meant", _list_meant(self.data.get("town", "")))
        if not Topic.objects.exists():
            del self.fields["topics"]
        for subscription in self.subscriptions:
            self._add_frequency(subscription)
        if self.subscriptions:
            self.fields["pause"] = _make_pause_field(paused_until(person, now=now))

    def clean_town(self) -> SubscriberLocation | None:
        text: str = self.cleaned_data["town"]
        if self.person.place is not None and text == str(self.person.place):
            return self.person.place
        return get_location_row(read_known_town(text, meant=self.cleaned_data.get("meant", "")))

    def list_fields(self) -> list[forms.BoundField]:
        """Return the fields in the order of the page. The towns that a text can mean follow it."""
        names = [name for name in self.fields if name != "meant"]
        if self.is_bound and self.fields["meant"].choices:  # type: ignore[attr-defined]
            names.insert(1, "meant")
        return [self[name] for name in names]

    def list_initial(self) -> list[SafeString]:
        """Return the hidden inputs with the values that the page showed."""
        return [field.as_hidden(only_initial=True) for field in self if field.field.show_hidden_initial]

    def list_frequencies(self) -> dict[MailingList, Frequency]:
        """Return the changed frequencies of the lists that the person stays on."""
        return {chosen: Frequency(often) for chosen, often in self._list_changed() if often != _OFF}

    def list_left(self) -> list[MailingList]:
        """Return the lists that the person is to be taken off."""
        return [chosen for chosen, often in self._list_changed() if often == _OFF]

    def _list_changed(self) -> list[tuple[MailingList, str]]:
        chosen = {one.mailing_list: f"often_{one.mailing_list_id}" for one in self.subscriptions}
        given = {
            chosen_list: self.cleaned_data[name] for chosen_list, name in chosen.items() if name in self.changed_data
        }
        return [(chosen_list, often) for chosen_list, often in given.items() if often]

    def _set_choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _add_frequency(self, subscription: Subscription) -> None:
        possible = get_publishing_hooks().frequencies(subscription.mailing_list)
        labels = {
            Frequency.EVERY: _("Every issue"),
            Frequency.MONTHLY: _("Once a month"),
            Frequency.EVENTS: _("Only with events near them"),
        }
        choices = [
            (str(rhythm), label) for rhythm, label in labels.items() if rhythm in {*possible, subscription.frequency}
        ]
        name = f"often_{subscription.mailing_list_id}"
        self.initial[name] = subscription.frequency
        self.fields[name] = forms.ChoiceField(
            label=_("How often: %(list)s") % {"list": subscription.mailing_list},
            choices=[*choices, (_OFF, _("Never: take them off this list. They can sign up again."))],
            required=False,
            show_hidden_initial=True,
        )


class DetailsPage(StaffTemplatePage):
    """The form with a person's choices. What they changed themselves meanwhile stays."""

    template_name = "desk/person_details.html"
    page_title = gettext_lazy("Change details")
    header_icon = "user"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.by = require_permission(request, RENAME_PERMISSION)
        if request.method != "POST":
            self.person = get_object_or_404(Subscriber.objects.select_related("place"), pk=kwargs["pk"])
            self.form = DetailsForm(person=self.person, now=timezone.now())
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return _save(request, pk=pk, page=self)

    def list_parents(self) -> list[tuple[str, str]]:
        label = identify_person(self.person, whole=self.request.user.has_perm(REVEAL_PERMISSION))
        person = (label, reverse("subscribers_person", args=[self.person.pk]))
        return [(_("Subscribers"), reverse("people:index")), person]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), "person": self.person, "form": self.form}


@changes_person
def _save(request: HttpRequest, *, pk: int, page: DetailsPage) -> HttpResponse:
    now = timezone.now()
    page.person = lock_person(pk)
    page.form = DetailsForm(request.POST, person=page.person, now=now)
    if not page.form.is_valid():
        return page.render_to_response(page.get_context_data(), status=HTTPStatus.BAD_REQUEST)
    if _apply(page.form, by=page.by, now=now):
        log(instance=page.person, action="subscribers.details", user=request.user)
        messages.success(request, _("The details are saved. They apply from the next issue."))
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("subscribers_person", pk)


def _apply(form: DetailsForm, *, by: str, now: datetime) -> bool:
    """Save the fields that staff changed. Return True if one of them differs from what the person has."""
    person, data, changed = form.person, form.cleaned_data, set(form.changed_data)
    is_changed = save_preferences(
        subscriber=person,
        topics=data["topics"] if "topics" in changed else person.topics.all(),
        language=data["language"] if "language" in changed else person.language,
        place=data["town"] if changed & {"town", "meant"} else person.place,
        radius_km=data["radius"] if "radius" in changed else person.radius_km,
        now=now,
        by=by,
    )
    is_changed |= set_frequencies(subscriber=person, frequencies=form.list_frequencies(), now=now, by=by)
    for mailing_list in form.list_left():
        is_changed |= take_off_list(people=[person.pk], mailing_list=mailing_list, by=by, now=now) > 0
    if "giving" in changed and data["giving"]:
        (result,) = update_people([PersonUpdate(email=person.email, giving=data["giving"])], by=by, now=now)
        is_changed |= result.outcome == Outcome.CHANGED
    if data.get("pause", "") not in ("", _KEEP):
        pause_mail(subscriber=person, days=int(data["pause"]), now=now, by=by)
        is_changed = True
    return is_changed


def _list_meant(text: str) -> list[tuple[str, str]]:
    """Return the towns that a typed text can mean, or nothing if it is clear."""
    try:
        read_known_town(text)
    except AmbiguousTown as several:
        return [(choice.value, choice.label) for choice in several.choices]
    except forms.ValidationError:
        return []
    return []


def _make_pause_field(until: datetime | None) -> forms.ChoiceField:
    now = _("Keep the pause until %(day)s") % {"day": date_format(until, _("j M Y"))} if until else _("No pause")
    choices = [(_KEEP, now)]
    if until:
        choices.append(("0", _("End the pause now")))
    for days in PAUSE_LENGTHS:
        choices.append(
            (str(days), ngettext("Nothing for %(days)s day", "Nothing for %(days)s days", days) % {"days": days})
        )
    return forms.ChoiceField(label=_("Pause"), choices=choices, required=False)
