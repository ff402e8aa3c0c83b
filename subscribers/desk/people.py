"""The page of one person. Nobody edits them by a form, because each change of consent needs its record."""

from collections.abc import Iterable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from newsletter.common.staff_pages import StaffTemplatePage
from newsletter.common.translation import language_label, translate
from subscribers.desk.imports.views import REQUIRED_PERMISSION as EXPORT_PERMISSION
from subscribers.desk.labels import basis_label, identify_person, list_consent_events, subscription_label
from subscribers.desk.people_list import PEOPLE_POLICY
from subscribers.desk.person_actions import (
    ERASE_PERMISSION,
    REMOVAL_PERMISSION,
    RENAME_PERMISSION,
    REVEAL_PERMISSION,
    SUPPRESS_PERMISSION,
    require_permission,
)
from subscribers.exporting.export_requests import CannotExport, record_disclosure
from subscribers.models import Disclosure, MailingList, Reply, Subscriber, Suppression
from subscribers.people.inactivity import find_resting_since, is_asked_to_stay
from subscribers.people.publishing_hooks import SentMail, get_publishing_hooks
from subscribers.people.replies import list_replies
from subscribers.segments.attributes import read_attributes
from subscribers.unsubscribing.suppression import can_staff_remove


class PersonPage(StaffTemplatePage):
    """Everything held about one person, with the address masked. Each view is logged."""

    template_name = "desk/person.html"
    header_icon = "user"
    http_method_names = ["get", "head", "options"]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not PEOPLE_POLICY.user_has_permission(request.user, "view"):
            raise PermissionDenied
        self.person = get_object_or_404(Subscriber.objects.select_related("place"), pk=kwargs["pk"])
        log(instance=self.person, action="subscribers.look", user=request.user)
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return identify_person(self.person, whole=self.request.user.has_perm(REVEAL_PERMISSION))

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Subscribers"), reverse("people:index"))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: dict[str, object] = super().get_context_data(**kwargs)
        subscriptions = self.person.subscriptions.select_related("mailing_list").order_by("-requested_at")
        mails = get_publishing_hooks().list_mails(self.person)
        can = self.request.user.has_perm
        return {
            **context,
            "person": self.person,
            "address": str(self.person),
            "has_name": bool(self.person.name),
            "mails": mails,
            "missed": get_publishing_hooks().list_missed(self.person),
            "can_open_issues": can("newsletter.change_issue"),
            "can_reveal": can(REVEAL_PERMISSION),
            "location": str(self.person.place or ""),
            "language": language_label(self.person.language),
            "topics": list(self.person.topics.all()),
            "giving": self.person.get_giving_display(),
            "extra_fields": dict.fromkeys(read_attributes(self.person), ""),
            "resting_since": find_resting_since(self.person),
            "is_asked_to_stay": is_asked_to_stay(self.person),
            "can_record_reply": can(RENAME_PERMISSION),
            "replies": _list_replies(self.person, mails),
            "today": localdate(),
            "now": timezone.now(),
            "subscriptions": [
                (subscription, subscription_label(subscription), basis_label(subscription))
                for subscription in subscriptions
            ],
            "events": list_consent_events(self.person),
            "suppressions": _list_suppressions(self.person),
            "lists": MailingList.objects.all(),
            "can_remove_suppression": can(REMOVAL_PERMISSION),
            "can_suppress": can(SUPPRESS_PERMISSION),
            "can_change": can(RENAME_PERMISSION),
            "can_rename": can(RENAME_PERMISSION) and can(REVEAL_PERMISSION),
            "can_erase": can(ERASE_PERMISSION),
            "can_download": can(EXPORT_PERMISSION) and can(REVEAL_PERMISSION),
        }


class RevealedPersonPage(PersonPage):
    """The same page with the whole address, by POST only. Each time is recorded and logged."""

    http_method_names = ["get", "head", "options", "post"]

    def get_page_title(self) -> str:
        person = super().get_page_title()
        return _("%(person)s (with the address)") % {"person": person} if self.request.method == "POST" else person

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_permission(request, REVEAL_PERMISSION)
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        kind = Disclosure.Kind.REVEAL
        try:
            record_disclosure(by=request.user, kind=kind, people=1, about=self.person.pk, now=timezone.now())
        except CannotExport as error:
            messages.error(request, translate(error))
            return redirect("subscribers_person", self.person.pk)
        log(instance=self.person, action="subscribers.reveal", user=request.user)
        context = {
            "address": self.person.email,
            "extra_fields": read_attributes(self.person),
            "is_revealed": True,
            "can_reveal": False,
        }
        return self.render_to_response({**self.get_context_data(**kwargs), **context})


def _list_replies(person: Subscriber, mails: Iterable[SentMail]) -> list[tuple[Reply, str]]:
    """Return the replies, each with the name of its issue, or "" if it is not known."""
    names = {mail.issue_id: mail.issue for mail in mails}
    return [(reply, names.get(reply.issue or 0, "")) for reply in list_replies(person)]


def _list_suppressions(person: Subscriber) -> list[tuple[Suppression, bool]]:
    """Return the suppressions, each with True if staff may remove it. Only the person can undo their own request."""
    rows = Suppression.objects.filter(address_hash=bytes(person.address_hash)).select_related("mailing_list")
    return [(row, row.removed_at is None and can_staff_remove(row)) for row in rows.order_by("-at", "-pk")]
