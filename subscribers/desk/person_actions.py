"""Decisions of staff about one person: correct them, record a reply, stop or allow emails, erase. Each is logged."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.errors import BadAddress, BadValue, DomainError
from newsletter.common.staff_pages import StaffTemplatePage, keep_refused_form
from newsletter.common.text import require_length
from newsletter.common.translation import translate
from subscribers.desk.labels import identify_person
from subscribers.erasing.erasure import erase_person
from subscribers.models import MailingList, Reason, Reply, Subscriber, Suppression
from subscribers.people.change_address import AddressNotAsked, request_correction
from subscribers.people.rename import rename_person as correct_name
from subscribers.people.replies import BadReply, ReplyToUnsentIssue
from subscribers.people.replies import record_reply as record_day
from subscribers.person_locks import lock_people, lock_people_to_delete
from subscribers.unsubscribing.suppression import MAX_REASON, CannotRemoveSuppression, remove_suppression, suppress

RENAME_PERMISSION, REMOVAL_PERMISSION, SUPPRESS_PERMISSION, ERASE_PERMISSION = (
    "subscribers.change_subscriber",
    "subscribers.change_suppression",
    "subscribers.add_suppression",
    "subscribers.delete_subscriber",
)
REVEAL_PERMISSION = "subscribers.reveal"
"""Staff without this permission see addresses masked and download none."""


_Arguments = ParamSpec("_Arguments")


class PersonDeleted(DomainError):
    """The person of a page was deleted, or merged into another, since staff opened it."""


def require_permission(request: HttpRequest, *permissions: str) -> str:
    """Return the user name for the record. Raises PermissionDenied unless the user has all the permissions."""
    user: User | AnonymousUser = request.user
    if not user.has_perms(permissions):
        raise PermissionDenied
    return str(user.get_username())


def changes_person(
    view: Callable[Concatenate[HttpRequest, _Arguments], HttpResponse],
) -> Callable[Concatenate[HttpRequest, _Arguments], HttpResponse]:
    """Run a view in one transaction. If its person was deleted, say so on the list of subscribers."""

    @wraps(view)
    def answer(request: HttpRequest, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> HttpResponse:
        try:
            with transaction.atomic():
                return view(request, *args, **kwargs)
        except PersonDeleted as error:
            messages.error(request, translate(error))
            return redirect("people:index")

    return answer


def _refuse(request: HttpRequest, problem: str) -> None:
    """Show the problem on the person's page, also beside its field, where the form keeps the typed values."""
    keep_refused_form(request, problem=problem)
    messages.error(request, problem)


def lock_person(pk: int, *, to_delete: bool = False) -> Subscriber:
    """Lock and return the person until the transaction ends. Raises PersonDeleted."""
    lock = lock_people_to_delete if to_delete else lock_people
    for person in lock(Subscriber.objects.filter(pk=pk)):
        return person
    raise PersonDeleted(
        "This person was deleted or merged with another one meanwhile. Nothing was changed. Search for their address."
    )


def remove_person_suppression(request: HttpRequest, pk: int, suppression: int) -> HttpResponse:
    """Allow emails to a person again, for the reason that the form gives."""
    by = require_permission(request, REMOVAL_PERMISSION)
    return _remove_suppression(request, pk=pk, suppression=suppression, by=by)


@require_POST
@changes_person
def _remove_suppression(request: HttpRequest, *, pk: int, suppression: int, by: str) -> HttpResponse:
    person = lock_person(pk)
    row = get_object_or_404(Suppression, pk=suppression, address_hash=bytes(person.address_hash))
    try:
        why = require_length(request.POST.get("why", "").strip(), limit=MAX_REASON, name="why")
        remove_suppression(suppression=row, by=by, reason=why, now=timezone.now())
    except (BadValue, CannotRemoveSuppression) as error:
        _refuse(request, translate(error))
    else:
        log(instance=person, action="subscribers.lift", user=request.user)
        messages.success(request, _("You can email this person again. Your reason is on record."))
    return redirect("subscribers_person", pk)


@require_POST
@changes_person
def rename_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct the name of a person. They can change it themselves as well."""
    require_permission(request, RENAME_PERMISSION)
    person = lock_person(pk)
    try:
        is_changed = correct_name(person=person, name=request.POST.get("name", ""), now=timezone.now())
    except BadValue as error:
        _refuse(request, translate(error))
        return redirect("subscribers_person", pk)
    if is_changed:
        log(instance=person, action="subscribers.rename", user=request.user)
    messages.success(request, _("The name is saved.") if person.name else _("The name is removed."))
    return redirect("subscribers_person", pk)


@require_POST
@changes_person
def correct_address(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the corrected address to confirm that it is the person's. They keep the old one until they confirm."""
    require_permission(request, RENAME_PERMISSION, REVEAL_PERMISSION)
    person = lock_person(pk)
    email = request.POST.get("email", "")
    try:
        request_correction(person=person, email=email, now=timezone.now())
    except (AddressNotAsked, BadAddress) as error:
        _refuse(request, translate(error))
    else:
        log(instance=person, action="subscribers.correct", user=request.user)
        messages.success(
            request,
            _(
                "A mail asks %(email)s to confirm the new address within 7 days. Until then, our emails go to the old one."
            )
            % {"email": email.strip()},
        )
    return redirect("subscribers_person", pk)


@require_POST
@changes_person
def record_reply(request: HttpRequest, pk: int) -> HttpResponse:
    """Record that a person replied to our mail, on a day, to an issue if staff know it."""
    by = require_permission(request, RENAME_PERMISSION)
    person = lock_person(pk)
    issue = request.POST.get("issue", "")
    try:
        recorded = record_day(
            subscriber=person,
            replied_on=_read_day(request.POST.get("replied_on", "")),
            issue=int(issue) if issue.isdecimal() else None,
            origin=Reply.Origin.STAFF,
            by=by,
            now=timezone.now(),
        )
    except ReplyToUnsentIssue as error:
        keep_refused_form(request)  # no field is marked: the day is not wrong
        messages.error(request, translate(error))
        return redirect("subscribers_person", pk)
    except BadReply as error:
        _refuse(request, translate(error))
        return redirect("subscribers_person", pk)
    if recorded.new or recorded.ended_rest:
        log(instance=person, action="subscribers.reply", user=request.user)
    if recorded.ended_rest:
        messages.success(request, _("On record. The reply answers our question: this person still wants our emails."))
    elif recorded.new:
        messages.success(request, _("The reply is on record."))
    else:
        messages.info(request, _("This reply was on record already. Nothing changed."))
    return redirect("subscribers_person", pk)


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadReply(
            "“%(day)s” is not a day. Nothing was recorded. Enter it like 2026-03-31.", day=text[:40]
        ) from None


def suppress_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop emails to a person, of one list or all, for the reason that the form gives."""
    by = require_permission(request, SUPPRESS_PERMISSION)
    return _suppress(request, pk=pk, by=by)


@require_POST
@changes_person
def _suppress(request: HttpRequest, *, pk: int, by: str) -> HttpResponse:
    person = lock_person(pk)
    why = request.POST.get("why", "").strip()
    mailing_list = MailingList.objects.filter(slug=request.POST.get("list", "")).first()
    if not why:
        _refuse(request, _("Enter why this person must not be emailed. We keep the reason as proof."))
        return redirect("subscribers_person", pk)
    try:
        require_length(why, limit=MAX_REASON, name="why")
    except BadValue as error:
        _refuse(request, translate(error))
        return redirect("subscribers_person", pk)
    suppress(
        address_hash=bytes(person.address_hash),
        reason=Reason.STAFF,
        now=timezone.now(),
        mailing_list=mailing_list,
        note=why,
        by=by,
    )
    log(instance=person, action="subscribers.bar", user=request.user)
    messages.success(request, _("Emails to this person are stopped."))
    return redirect("subscribers_person", pk)


@changes_person
def _erase(request: HttpRequest, *, pk: int, by: str) -> HttpResponse:
    person = lock_person(pk, to_delete=True)
    log(instance=person, action="subscribers.erase", user=request.user)
    erase_person(subscriber=person, by=by, now=timezone.now())
    messages.success(
        request,
        _(
            "This person is erased. We keep a keyed hash of each address that they had, so that nobody can add it again."
        ),
    )
    return redirect("people:index")


class ErasePage(StaffTemplatePage):
    """GET asks for confirmation; POST erases the person."""

    template_name = "desk/erase_person.html"
    page_title = gettext_lazy("Erase a person")
    header_icon = "bin"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.by = require_permission(request, ERASE_PERMISSION)
        if request.method != "POST":
            self.person = get_object_or_404(Subscriber.objects.select_related("place"), pk=kwargs["pk"])
            self.label = identify_person(self.person, whole=request.user.has_perm(REVEAL_PERMISSION))
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return _erase(request, pk=pk, by=self.by)

    def list_parents(self) -> list[tuple[str, str]]:
        person = (self.label, reverse("subscribers_person", args=[self.person.pk]))
        return [(_("Subscribers"), reverse("people:index")), person]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), "person": self.person, "label": self.label}
