"""Change all people of a search, or those ticked in the list. The page shows their number first, and each change confirms it."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.fields.limited_text import LimitedTextField, LimitedTextsMixin
from newsletter.common.translation import translate
from subscribers.attribute_rules import MAX_KEY_LENGTH, MAX_VALUE_LENGTH
from subscribers.desk.exports import require_export_permission, start_export
from subscribers.desk.imports.forms import BASES, ExportForm
from subscribers.desk.imports.views import REQUIRED_PERMISSION
from subscribers.desk.people_list import MAX_COUNTED, find_people
from subscribers.desk.people_page import PeoplePage
from subscribers.desk.person_actions import REVEAL_PERMISSION
from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.models import Basis, MailingList, Subscriber, Subscription, Topic
from subscribers.people.bulk_actions import add_topic, remove_topic, set_attribute, take_off_list

LOG_ACTIONS = {
    "bulk": (gettext_lazy("Change many people"), gettext_lazy("Many people changed")),
    "search": (gettext_lazy("Search names and addresses"), gettext_lazy("Names and addresses searched")),
}
"""Label and message of each action in the staff log."""


Given = dict[str, Any]
"""The cleaned data of a change's form."""
ASK_FIRST = "ask"
_LASTING_BASES = (Basis.CONSENT, Basis.LEGITIMATE_INTEREST, Basis.CONTRACT)
_WHY = [
    (ASK_FIRST, gettext_lazy("We do not know: ask each person by email first")),
    *((basis.value, BASES[basis]) for basis in _LASTING_BASES),
]
EXPORT = "export"


class TopicForm(forms.Form):
    topic = forms.ModelChoiceField(label=gettext_lazy("Topic"), queryset=Topic.objects.order_by("name"))


class ListForm(forms.Form):
    mailing_list = forms.ModelChoiceField(label=gettext_lazy("List"), queryset=MailingList.objects.order_by("name"))


class JoinForm(ListForm):
    """A list to join needs the reason why these people can be emailed, and its proof."""

    why = forms.ChoiceField(
        label=gettext_lazy("Why can you email them?"), choices=_WHY, widget=forms.RadioSelect, initial=ASK_FIRST
    )
    evidence = LimitedTextField(
        label=gettext_lazy("What is the proof?"),
        help_text=gettext_lazy("Where and when they agreed. We keep it with each person."),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class AttributeForm(LimitedTextsMixin, forms.Form):
    key = forms.CharField(label=gettext_lazy("Extra field"), max_length=MAX_KEY_LENGTH)
    value = forms.CharField(
        label=gettext_lazy("Value"),
        help_text=gettext_lazy("Leave it empty to remove the extra field."),
        max_length=MAX_VALUE_LENGTH,
        required=False,
    )


@dataclass(frozen=True)
class Question:
    """The question before a change that cannot be undone. ``people`` is how many it would change."""

    title: str
    sentence: str
    button: str
    people: int


@dataclass(frozen=True)
class BulkChange:
    """One change. ``apply`` gets the ids, the valid form and who does it; it returns how many people it changed.

    ``ask`` returns the question that comes first.
    """

    name: str
    title: str | Promise
    form: type[forms.Form]
    button: str | Promise
    apply: Callable[[list[int], Given, str], int]
    note: str | Promise = ""
    ask: Callable[[list[int], Given], Question] | None = None


def _add_topic(people: list[int], fields: Given, by: str) -> int:
    return add_topic(people=people, topic=fields["topic"], by=by, now=timezone.now())


def _remove_topic(people: list[int], fields: Given, by: str) -> int:
    return remove_topic(people=people, topic=fields["topic"], by=by, now=timezone.now())


def _set_attribute(people: list[int], fields: Given, by: str) -> int:
    return set_attribute(people=people, key=fields["key"], value=fields["value"], by=by, now=timezone.now())


def _take_off_list(people: list[int], fields: Given, by: str) -> int:
    return take_off_list(people=people, mailing_list=fields["mailing_list"], by=by, now=timezone.now())


def _ask_to_take_off(people: list[int], fields: Given) -> Question:
    chosen = fields["mailing_list"]
    number = Subscription.objects.open().filter(mailing_list=chosen, subscriber__in=people).count()
    values = {"people": intcomma(number), "list": chosen}
    title = ngettext("Take %(people)s person off “%(list)s”?", "Take %(people)s people off “%(list)s”?", number)
    return Question(
        title=title % values,
        sentence=_(
            "They get no more mail of this list, and nobody tells them. You cannot undo it. They can sign up again."
        ),
        button=ngettext("Take %(people)s person off the list", "Take %(people)s people off the list", number) % values,
        people=number,
    )


def _put_on_list(people: list[int], fields: Given, by: str) -> int:
    """Import the people, so that suppressed ones stay out, the proof is kept, and staff can undo it as a whole."""
    text = io.StringIO(newline="")
    addresses = Subscriber.objects.filter(pk__in=people).order_by("pk").values_list("email", flat=True)
    csv.writer(text).writerows([["email"], *([address] for address in addresses)])
    ask_first = fields["why"] == ASK_FIRST
    report = import_people(
        PeopleFile(content=io.BytesIO(text.getvalue().encode()), name=_("People chosen from the list of subscribers")),
        mailing_list=fields["mailing_list"],
        terms=ConsentTerms(
            basis=Basis.CONSENT if ask_first else fields["why"], evidence=fields["evidence"], confirm=ask_first
        ),
        by=by,
    )
    return report.new


CHANGES = (
    BulkChange(
        "add-topic",
        gettext_lazy("Add a topic"),
        TopicForm,
        gettext_lazy("Add the topic"),
        _add_topic,
        gettext_lazy("People who chose no topic get all topics already, so they stay as they are."),
    ),
    BulkChange(
        "remove-topic",
        gettext_lazy("Remove a topic"),
        TopicForm,
        gettext_lazy("Remove the topic"),
        _remove_topic,
        gettext_lazy("Nobody’s only topic is removed, because they would then get all topics."),
    ),
    BulkChange(
        "join",
        gettext_lazy("Add to a list"),
        JoinForm,
        gettext_lazy("Add to the list"),
        _put_on_list,
        gettext_lazy(
            "People who unsubscribed or are suppressed are left out. You can undo it under “Imports and exports”."
        ),
    ),
    BulkChange(
        "end",
        gettext_lazy("Take off a list"),
        ListForm,
        gettext_lazy("Take off the list"),
        _take_off_list,
        gettext_lazy("They get no more mail of this list. They can sign up again."),
        _ask_to_take_off,
    ),
    BulkChange(
        "attribute",
        gettext_lazy("Set an extra field"),
        AttributeForm,
        gettext_lazy("Set the extra field"),
        _set_attribute,
        gettext_lazy("Segments can select people by it."),
    ),
)


class BulkChangePage(PeoplePage):
    template_name = "desk/bulk_changes.html"
    page_title = gettext_lazy("Change many people")
    header_icon = "group"
    required_permission = REQUIRED_PERMISSION

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.forms: dict[str, forms.Form] = {}
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        people = find_people(request)
        change = next((change for change in CHANGES if change.name == request.POST.get("change")), None)
        if len(people) > MAX_COUNTED or request.POST.get("people") != str(len(people)):
            messages.error(
                request, _("Nothing was changed: these are other people than you confirmed. Check the new number.")
            )
            return self._show_again(request, change)
        if change is None:
            return self._export(request, people)
        form = change.form(request.POST, prefix=change.name)
        if not form.is_valid():
            self.forms[change.name] = form
            return self.refuse(**kwargs)
        if change.ask and "sure" not in request.POST:
            question = change.ask(people, form.cleaned_data)
            if question.people:
                context = self.get_context_data(question=question, asked=change, asked_form=form)
                return self.render_to_response(context)
        try:
            changed = change.apply(people, form.cleaned_data, request.user.get_username())
        except DomainError as error:
            messages.error(request, translate(error))
            return self._show_again(request, change)
        data = {"change": change.name, "people": len(people), "changed": changed, **_describe(form.cleaned_data)}
        log(instance=request.user, action="subscribers.bulk", user=request.user, data=data)
        messages.success(request, _describe_result(changed, of=len(people)))
        return redirect(f"{reverse('people:index')}?{_without_ticks(request)}")

    def _show_again(self, request: HttpRequest, change: BulkChange | None) -> HttpResponse:
        """Show the page again, with the typed values except the password."""
        if change is None:
            self.forms[EXPORT] = ExportForm(request.POST, user=request.user, prefix=EXPORT)
        else:
            self.forms[change.name] = change.form(request.POST, prefix=change.name)
        return self.refuse()

    def _export(self, request: HttpRequest, people: list[int]) -> HttpResponseBase:
        require_export_permission(request)
        form = ExportForm(request.POST, user=request.user, prefix=EXPORT)
        if form.is_valid():
            return start_export(request, form, person_ids=people)
        self.forms[EXPORT] = form
        return self.refuse()

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        people = find_people(self.request)
        export = self.forms.get(EXPORT) or ExportForm(user=self.request.user, prefix=EXPORT)
        return {
            **super().get_context_data(**kwargs),
            "people": len(people),
            "too_many": len(people) > MAX_COUNTED,
            "limit": MAX_COUNTED,
            "search": self.request.GET.get("q", ""),
            "back": f"{reverse('people:index')}?{_without_ticks(self.request)}",
            "changes": [
                (change, self.forms.get(change.name) or change.form(prefix=change.name), change.name in self.forms)
                for change in CHANGES
            ],
            "export": export if self.request.user.has_perm(REVEAL_PERMISSION) else None,
            "export_open": EXPORT in self.forms,
        }


def _describe(fields: Given) -> dict[str, object]:
    """Return the choices for the staff log: slugs and keys, and no value of an attribute."""
    chosen: dict[str, object] = {name: fields[name].slug for name in ("topic", "mailing_list") if name in fields}
    return {**chosen, **({"key": fields["key"]} if "key" in fields else {})}


def _describe_result(changed: int, *, of: int) -> str:
    text = ngettext("%(changed)s of %(all)s people changed.", "%(changed)s of %(all)s people changed.", changed)
    return text % {"changed": intcomma(changed), "all": intcomma(of)}


def _without_ticks(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("person", None)
    return query.urlencode()
