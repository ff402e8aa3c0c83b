"""The form of the preference centre. It saves nothing."""

from collections.abc import Sequence

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext

from newsletter.common.translation import language_choices
from subscribers.models import Frequency, MailingList, Subscriber, SubscriberLocation, Subscription, Topic
from subscribers.people.locations import get_location_row
from subscribers.people.preferences import PAUSE_LENGTHS, RADII_KM
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.people.relevant_choices import find_topics_asked_of
from subscribers.web.fewer_emails import label_monthly
from subscribers.web.form_fields import AmbiguousTown, ChosenRowsField, RemainingRowsField, TownChoice, read_known_town


class PreferencesForm(forms.Form):
    """A person's choices. `often_<id>` is the frequency of each offered list.

    `town_choices` are the towns that a typed name could mean; the chosen one comes back as `meant`.
    """

    lists = ChosenRowsField(MailingList.objects.none(), required=False)
    topics = RemainingRowsField(Topic.objects.all(), required=False)
    meant = forms.CharField(max_length=300, required=False)
    town = forms.CharField(required=False)
    radius = forms.TypedChoiceField(
        choices=[("", ""), *((str(km), "") for km in RADII_KM)], coerce=int, empty_value=None, required=False
    )
    language = forms.ChoiceField(required=False)
    pause = forms.ChoiceField(
        choices=[("keep", ""), ("0", ""), *((str(days), "") for days in PAUSE_LENGTHS)], required=False
    )

    def __init__(self, data: QueryDict | None = None, *, person: Subscriber, offered: Sequence[MailingList]) -> None:
        super().__init__(data)
        self._person = person
        self._offered = offered
        self.town_choices: tuple[TownChoice, ...] = ()
        self.fields["lists"].queryset = MailingList.objects.filter(pk__in=[mailing_list.pk for mailing_list in offered])  # type: ignore[attr-defined]
        self.fields["language"].choices = language_choices(person.language)  # type: ignore[attr-defined]
        if person.radius_km is not None and person.radius_km not in RADII_KM:
            self.fields["radius"].choices += [(str(person.radius_km), "")]  # type: ignore[attr-defined]
        rows = Subscription.objects.filter(subscriber=person).open()
        chosen = dict(rows.values_list("mailing_list_id", "frequency"))
        for mailing_list in offered:
            choices = list_frequency_choices(mailing_list, chosen=chosen.get(mailing_list.pk, ""))
            self.fields[f"often_{mailing_list.pk}"] = forms.ChoiceField(choices=choices, required=False)

    def clean_town(self) -> SubscriberLocation | None:
        text: str = self.cleaned_data["town"]
        if self._person.place is not None and text == str(self._person.place):
            return self._person.place
        try:
            return get_location_row(read_known_town(text, meant=self.cleaned_data.get("meant", "")))
        except AmbiguousTown as several:
            self.town_choices = several.choices
            raise

    def chosen_topics(self) -> list[Topic]:
        """Return the chosen topics, and those that the person has and the page does not offer."""
        hidden = self._person.topics.exclude(pk__in=find_topics_asked_of(self._person))
        return [*self.cleaned_data["topics"], *hidden]

    def frequencies(self) -> dict[MailingList, Frequency]:
        """Return the frequency chosen for each ticked list."""
        ticked = {mailing_list.pk for mailing_list in self.cleaned_data["lists"]}
        chosen = {
            mailing_list: self.cleaned_data.get(f"often_{mailing_list.pk}")
            for mailing_list in self._offered
            if mailing_list.pk in ticked
        }
        return {mailing_list: Frequency(value) for mailing_list, value in chosen.items() if value}


def list_frequency_choices(mailing_list: MailingList, *, chosen: str = "") -> list[tuple[str, str]]:
    """Return the frequencies that the list offers, with labels.

    A ``chosen`` frequency stays a choice even if the list no longer offers it: else saving the page would change it unseen.
    """
    words = {
        Frequency.EVERY: gettext("Every issue"),
        Frequency.MONTHLY: label_monthly(get_publishing_hooks().digests(mailing_list)),
        Frequency.EVENTS: gettext("Only with events near me"),
    }
    possible = get_publishing_hooks().frequencies(mailing_list)
    if chosen == Frequency.MONTHLY and Frequency.MONTHLY not in possible:
        words[Frequency.MONTHLY] = gettext("Once a month, in one mail (not sent at the moment)")
    return [(str(rhythm), text) for rhythm, text in words.items() if rhythm in possible or rhythm == chosen]


def radius_choices(current: int | None) -> list[tuple[str, str]]:
    """Return the distances with labels, always including the person's own."""
    distances = sorted({*RADII_KM, *([current] if current else [])})
    far = [
        (str(km), gettext("%(km)s km (%(miles)s miles)") % {"km": km, "miles": round(km / 1.609)}) for km in distances
    ]
    return [("", gettext("The usual distance")), *far]
