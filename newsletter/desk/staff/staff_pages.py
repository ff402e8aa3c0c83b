"""The pages of staff accounts: invite somebody, and one person's account with what helps them in again."""

from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from django.views.generic import FormView
from wagtail.admin import messages as wagtail_messages
from wagtail.admin.utils import get_user_display_name
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.users.models import UserProfile
from wagtail.users.utils import user_can_delete_user

from newsletter.api_keys import list_keys_known_to
from newsletter.common.errors import BadAddress, DomainError, NotAllowed
from newsletter.common.staff_pages import PathMixin
from newsletter.common.translation import translate
from newsletter.desk.shell.labels import link_issues
from newsletter.desk.staff.staff_forms import AccountForm, InvitationForm
from newsletter.identity_provider.settings import get_identity_provider
from newsletter.issues.approval.approval_rules import is_sent_automatically
from newsletter.issues.approval.design_since_approval import WAITING_STATES
from newsletter.models import Approval, Issue, Publication, StaffLink
from newsletter.organisation.accounts.administrators import has_password, may_use_password
from newsletter.organisation.accounts.staff import remove_factors
from newsletter.organisation.accounts.staff_accounts import EmailTaken, change_staff, invite_staff
from newsletter.organisation.accounts.staff_links import find_open_link, make_staff_link, make_staff_link_url
from newsletter.sending.adapters import can_mail_leave
from subscribers.audience.recipient_allowlist import get_recipient_allowlist
from subscribers.desk.listing import format_moment
from subscribers.desk.password import PasswordForm

POLICY = ModelPermissionPolicy(User)
INDEX = "wagtailusers_users:index"
KEYS_PERMISSION = "newsletter.change_apikey"
APPROVE_PERMISSION = "newsletter.approve_issue"
SETUP, SETUP_STEP = "setup", "newsletter_setup_people"


class StaffPage(PermissionCheckedMixin, PathMixin, FormView[Any]):
    permission_policy = POLICY
    header_icon = "user"

    @property
    def is_in_setup(self) -> bool:
        """Return True if the person came from “Set up”, and goes back there."""
        return SETUP in self.request.GET

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Staff"), reverse(INDEX))]


class InvitationPage(StaffPage):
    template_name = "desk/staff/invite.html"
    page_title = gettext_lazy("Invite staff")
    permission_required = "add"
    form_class = InvitationForm

    def form_valid(self, form: InvitationForm) -> HttpResponse:
        values = dict(form.cleaned_data)
        language = values.pop("language")
        try:
            link = invite_staff(**values, by=cast(User, self.request.user), now=timezone.now())
        except (BadAddress, EmailTaken) as error:
            form.add_error("email", translate(error))
            return self.form_invalid(form)
        profile = UserProfile.get_for_user(link.person)
        profile.preferred_language = language
        profile.save(update_fields=["preferred_language"])
        messages.success(self.request, _("%(email)s is invited.") % {"email": link.person.email})
        return redirect(edit_url(link.person) + (f"?{SETUP}" if self.is_in_setup else ""))

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), "back_url": reverse(SETUP_STEP if self.is_in_setup else INDEX)}


class AccountPage(StaffPage):
    template_name = "desk/staff/account.html"
    permission_required = "change"
    form_class = AccountForm

    def setup(self, request: HttpRequest, *args: object, **kwargs: object) -> None:
        super().setup(request, *args, **kwargs)
        self.person = get_object_or_404(User, pk=self.kwargs["pk"])

    def get_page_title(self) -> str:
        return str(get_user_display_name(self.person))

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "person": self.person}

    def form_valid(self, form: AccountForm) -> HttpResponse:
        values, username = form.cleaned_data, self.person.username
        self.person.first_name, self.person.last_name = values["first_name"], values["last_name"]
        try:
            require_may_change(self.person, by=self.request.user)
            change_staff(
                person=self.person,
                email=values["email"],
                role=values.get("role", ""),
                active=values["active"],
                by=cast(User, self.request.user),
                now=timezone.now(),
            )
        except DomainError as error:
            form.add_error("email" if isinstance(error, BadAddress | EmailTaken) else None, translate(error))
            return self.form_invalid(form)
        messages.success(self.request, _("The account of %(person)s is saved.") % {"person": self.get_page_title()})
        person = User.objects.get(pk=self.person.pk)  # without the permissions that were read before
        if not person.has_perm(KEYS_PERMISSION):
            warn_of_known_keys(self.request, username)
        if not person.has_perm(APPROVE_PERMISSION):
            warn_of_approved_issues(self.request, person)
        return redirect(INDEX)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        now, person = timezone.now(), self.person
        link = find_open_link(person, now=now)
        return {
            **super().get_context_data(**kwargs),
            "person": person,
            "link": link,
            "setup_url": reverse(SETUP_STEP) if self.is_in_setup else "",
            "link_until": format_moment(link.expires_at, now=now) if link else "",
            "link_url": make_staff_link_url(link) if link and not can_mail(person.email) else "",
            "has_password": has_password(person),
            "may_use_password": may_use_password(person),
            "identity_name": find_identity_name(person),
            "has_factor": Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).exists(),
            "password_form": kwargs.get("password_form") or PasswordForm(user=self.request.user),
            "can_delete": user_can_delete_user(self.request.user, person),
        }


def warn_of_approved_issues(request: HttpRequest, person: User) -> None:
    """Name the unsent issues that somebody approved who may not approve any more. Only approvals of welcome mails count on."""
    valid = Approval.objects.filter(person=person, withdrawn_at__isnull=True)
    waiting = Issue.objects.filter(state__in=WAITING_STATES, approvals__in=valid).select_related("publication")
    issues = list(waiting.distinct().order_by("pk"))
    if welcome := [issue for issue in issues if issue.is_welcome]:
        text = ngettext(
            "They approved a welcome mail: {issues}. Their approval stays valid. If new subscribers should not get it, "
            "withdraw the approval or put it on hold.",
            "They approved welcome mails: {issues}. Their approvals stay valid. If new subscribers should not get one, "
            "withdraw its approval or put it on hold.",
            len(welcome),
        )
        messages.warning(request, format_html(text, issues=link_issues(welcome, user=request.user)))
    if others := [issue for issue in issues if not (issue.is_welcome or is_sent_automatically(issue))]:
        text = ngettext(
            "They approved an issue that is not sent yet: {issues}. Their approval no longer counts. Unless enough others "
            "approved it, ask another approver.",
            "They approved issues that are not sent yet: {issues}. Their approvals no longer count. Unless enough others "
            "approved them, ask another approver.",
            len(others),
        )
        messages.warning(request, format_html(text, issues=link_issues(others, user=request.user)))


def warn_of_known_keys(request: HttpRequest, username: str) -> None:
    """Name the API keys that somebody may still know who may not manage them any more."""
    keys = list_keys_known_to(username, now=timezone.now())
    if keys:
        text = ngettext(
            "They created an API key that still works: %(keys)s. If they may have kept it, revoke it and create a new one.",
            "They created API keys that still work: %(keys)s. If they may have kept them, revoke them and create new ones.",
            len(keys),
        )
        button = wagtail_messages.button(reverse("newsletter_api_keys"), _("API keys"))
        wagtail_messages.warning(request, text % {"keys": ", ".join(key.name for key in keys)}, buttons=[button])


@require_POST
def send_staff_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a new link for the person: an invitation if they have no password yet, else one for a new password."""
    person = _get_person(request, pk)
    kind = StaffLink.Kind.PASSWORD if has_password(person) else StaffLink.Kind.INVITATION
    try:
        require_may_change(person, by=request.user)
        make_staff_link(person=person, kind=kind, by=cast(User, request.user), now=timezone.now())
    except DomainError as error:
        messages.error(request, translate(error))
    else:
        messages.success(request, _("There is a new link for %(email)s.") % {"email": person.email})
    return redirect(edit_url(person))


@require_POST
def remove_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove the person's second factor, after the administrator gave their own password."""
    person = _get_person(request, pk)
    form = PasswordForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["password"])))
        return redirect(edit_url(person))
    try:
        require_may_change(person, by=request.user)
    except NotAllowed as error:
        messages.error(request, translate(error))
        return redirect(edit_url(person))
    remove_factors(person, by=cast(User, request.user))
    messages.success(
        request,
        _("The second factor of %(email)s is removed. They set up a new one at their next sign-in.")
        % {"email": person.email},
    )
    return redirect(edit_url(person))


def require_may_change(person: User, *, by: User | AnonymousUser) -> None:
    """Raise NotAllowed for a superuser's account, unless a superuser asks."""
    if person.is_superuser and not by.is_superuser:
        raise NotAllowed("Only a superuser may change the account of a superuser.")


def can_mail(address: str) -> bool:
    """Return True if a mail to this address would leave this installation."""
    only_to = get_recipient_allowlist()
    return can_mail_leave() and (only_to is None or only_to.allows(address)) and Publication.objects.exists()


def find_identity_name(person: User) -> str:
    """Return the name of the identity provider if the person has entered with it, else ""."""
    provider = get_identity_provider()
    linked = provider and SocialAccount.objects.filter(user=person, provider=provider.issuer).exists()
    return provider.name if provider and linked else ""


def edit_url(person: User) -> str:
    return reverse("wagtailusers_users:edit", args=[person.pk])


def _get_person(request: HttpRequest, pk: int) -> User:
    """Return the person. Raise PermissionDenied if the member of staff may not change accounts."""
    if not POLICY.user_has_permission(request.user, "change"):
        raise PermissionDenied
    return get_object_or_404(User, pk=pk)
