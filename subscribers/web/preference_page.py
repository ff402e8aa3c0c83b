"""The preference centre: what, where and in which language. It shows the address masked and no history."""

from babel import Locale
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers.addresses import mask
from subscribers.errors import UnknownPlace
from subscribers.links import LinkTarget, Purpose
from subscribers.locations import describe_place
from subscribers.models import MailingList, Place, Subscriber, Subscription, Topic
from subscribers.preferences import choose_lists, find_town, save_preferences
from subscribers.web.links import find_target, link_for, linked_page, say

_LANGUAGES = ("en", "es", "fr", "de", "it", "nl", "pl", "pt")
_WORDING = "Chosen on the page “Your mail from us”."


class PreferencesForm(forms.Form):
    """What a person may change about their mail."""

    lists = forms.ModelMultipleChoiceField(MailingList.objects.none(), required=False)
    topics = forms.ModelMultipleChoiceField(Topic.objects.all(), required=False)
    town = forms.CharField(max_length=120, required=False)
    language = forms.ChoiceField(required=False)

    def __init__(self, data: object, *, person: Subscriber, offered: list[MailingList]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self._person = person
        self.fields["lists"].queryset = MailingList.objects.filter(pk__in=[one.pk for one in offered])  # type: ignore[attr-defined]
        self.fields["language"].choices = language_choices(person.language)  # type: ignore[attr-defined]

    def clean_town(self) -> Place | None:
        text: str = self.cleaned_data["town"]
        if self._person.place is not None and text == describe_place(self._person.place):
            return self._person.place
        try:
            return find_town(text)
        except UnknownPlace as error:
            raise forms.ValidationError(str(error)) from error


@linked_page(Purpose.PREFERENCES)
def preferences(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    person, _ = find_target(target)
    if person is None:
        return say(
            request, "Nothing is kept about you", "You were removed from our records, so there is nothing to set."
        )
    offered = _offered(person)
    form = PreferencesForm(request.POST if request.method == "POST" else None, person=person, offered=offered)
    saved, waiting = False, []
    if request.method == "POST" and form.is_valid():
        waiting = _save(form, person=person, offered=offered)
        saved = True
    return _page(request, target, person=person, offered=offered, form=form, saved=saved, waiting=waiting)


def language_choices(current: str) -> list[tuple[str, str]]:
    """Language codes with their own names; the person's own language is always among them."""
    codes = list(dict.fromkeys([*_LANGUAGES, *([current] if current else [])]))
    return [("", "No preference"), *((code, _own_name(code)) for code in codes)]


def _own_name(code: str) -> str:
    try:
        name = Locale.parse(code, sep="-").get_display_name()
    except ValueError:
        return code
    return (name or code).capitalize()


def _offered(person: Subscriber) -> list[MailingList]:
    """The public lists, and private ones that the person is on."""
    own = Subscription.objects.filter(subscriber=person).open().values("mailing_list_id")
    return list((MailingList.objects.filter(public=True) | MailingList.objects.filter(pk__in=own)).order_by("name"))


def _save(form: PreferencesForm, *, person: Subscriber, offered: list[MailingList]) -> list[MailingList]:
    now = timezone.now()
    save_preferences(
        subscriber=person,
        topics=form.cleaned_data["topics"],
        language=form.cleaned_data["language"],
        place=form.cleaned_data["town"],
        now=now,
    )
    return choose_lists(
        subscriber=person, offered=offered, chosen=form.cleaned_data["lists"], wording=_WORDING, now=now
    )


def _page(
    request: HttpRequest,
    target: LinkTarget,
    *,
    person: Subscriber,
    offered: list[MailingList],
    form: PreferencesForm,
    saved: bool,
    waiting: list[MailingList],
) -> HttpResponse:
    refused = form.is_bound and not form.is_valid()
    current = Subscription.objects.filter(subscriber=person).open()
    on = set(current.values_list("mailing_list_id", flat=True))
    mailed = set(current.mailable().values_list("mailing_list_id", flat=True))
    unconfirmed = on - mailed
    chosen_topics = set(person.topics.values_list("pk", flat=True))
    if refused:
        on = {int(pk) for pk in request.POST.getlist("lists") if pk.isdecimal()}
        chosen_topics = {int(pk) for pk in request.POST.getlist("topics") if pk.isdecimal()}
    context = {
        "masked": mask(person.email),
        "lists": [(one, one.pk in on, one.pk in unconfirmed) for one in offered],
        "topics": [(topic, topic.pk in chosen_topics) for topic in Topic.objects.all()],
        "town": form.data.get("town", "") if refused else (describe_place(person.place) if person.place else ""),
        "languages": language_choices(person.language),
        "language": form.data.get("language", "") if refused else person.language,
        "form": form,
        "refused": refused,
        "saved": saved,
        "waiting": waiting,
        "leave_all_path": f"{link_for(target, Purpose.UNSUBSCRIBE)}/all",
    }
    return render(request, "subscribers/preferences.html", context, status=400 if refused else 200)
