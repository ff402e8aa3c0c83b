"""Pages that are open before sign-in: sign in, make the first administrator, choose a password, ask for a new one.

None of them reveals to a stranger if an address has an account.
"""

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Any

from allauth.account import views
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.generic import FormView

from newsletter.common.errors import BadAddress, BadLink
from newsletter.common.fields.limited_text import LimitedTextsMixin
from newsletter.common.networks import single_client_network
from newsletter.common.translation import translate
from newsletter.identity_provider.settings import ADMINISTRATORS, get_identity_provider
from newsletter.models import StaffLink
from newsletter.organisation.accounts.administrators import may_use_password
from newsletter.organisation.accounts.first_administrator import check_code, is_without_staff, make_first_administrator
from newsletter.organisation.accounts.staff import BadPassword, check_email
from newsletter.organisation.accounts.staff_links import read_staff_link, request_password_link, use_staff_link
from subscribers.consent.throttle import exceeds_bad_link_limit, increment_counter
from subscribers.web.page import client_address_of

MAX_REQUESTS_PER_NETWORK = 10
REQUEST_WINDOW = timedelta(hours=1)


@never_cache
def show_sign_in(request: HttpRequest) -> HttpResponse:
    """Show the sign-in form, or where to find the set-up link if nobody has an account."""
    if request.method == "GET" and is_without_staff():
        return render(request, "account/no_staff.html")
    response: HttpResponse = SignInPage.as_view()(request)
    return response


class SignInPage(views.LoginView):
    """The identity provider's button, if there is one, before the form for a password."""

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: dict[str, object] = super().get_context_data(**kwargs)
        return {**context, **make_button_context(self.request)}


class ChoosePasswordForm(LimitedTextsMixin, forms.Form):
    password = forms.CharField(
        label=gettext_lazy("Password"),
        help_text=gettext_lazy("At least 12 characters. Three or four words are easy to remember and hard to guess."),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("Password again"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean() or {}
        if cleaned.get("password") and cleaned.get("again") and cleaned["password"] != cleaned["again"]:
            self.add_error("again", _("The two passwords are not the same."))
        if cleaned.get("password"):
            try:
                validate_password(str(cleaned["password"]))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class InvitationForm(ChoosePasswordForm):
    """A form that asks for the name, because the desk names who did what."""

    first_name = forms.CharField(
        label=gettext_lazy("First name (optional)"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name (optional)"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    field_order = ["first_name", "last_name"]


class FirstAdministratorForm(InvitationForm):
    email = forms.EmailField(
        label=gettext_lazy("Your email address"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    field_order = ["email", "first_name", "last_name"]

    def clean_email(self) -> str:
        try:
            return check_email(self.cleaned_data["email"])
        except BadAddress as error:
            raise ValidationError(translate(error)) from error


class EmailForm(LimitedTextsMixin, forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("Email"), widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": ""})
    )


class _LinkPage(FormView[Any], ABC):
    """A page that a signed link opens. A bad link counts as an attempt. The answer is the same for every kind of bad link."""

    @abstractmethod
    def check_link(self) -> None:
        """Raise BadLink."""

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            self.check_link()
        except BadLink as error:
            exceeded = exceeds_bad_link_limit(client_address_of(request), now=timezone.now())
            context = {"explanation": "" if exceeded else translate(error)}
            return render(request, "account/bad_link.html", context, status=429 if exceeded else 410)
        return super().dispatch(request, *args, **kwargs)


class ChoosePasswordPage(_LinkPage):
    template_name = "account/choose_password.html"

    def get_form_class(self) -> type[ChoosePasswordForm]:
        is_invitation = self.link.kind == StaffLink.Kind.INVITATION
        return InvitationForm if is_invitation else ChoosePasswordForm

    def get_initial(self) -> dict[str, object]:
        return {name: getattr(self.link.person, name) for name in ("first_name", "last_name")}

    def check_link(self) -> None:
        self.link = read_staff_link(self.kwargs["token"], now=timezone.now())

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {
            **super().get_context_data(**kwargs),
            **make_button_context(self.request),
            "link": self.link,
            "may_use_password": may_use_password(self.link.person),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not may_use_password(self.link.person):
            return self.get(request, *args, **kwargs)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: ChoosePasswordForm) -> HttpResponse:
        try:
            names = {name: form.cleaned_data.get(name, "") for name in ("first_name", "last_name")}
            person = use_staff_link(link=self.link, password=form.cleaned_data["password"], now=timezone.now(), **names)
        except BadPassword as error:
            form.add_error("password", translate(error))
            return self.form_invalid(form)
        return sign_in(self.request, person)


class FirstAdministratorPage(_LinkPage):
    template_name = "account/first_administrator.html"
    form_class = FirstAdministratorForm

    def check_link(self) -> None:
        check_code(self.kwargs["code"])

    def form_valid(self, form: FirstAdministratorForm) -> HttpResponse:
        names = ("email", "password", "first_name", "last_name")
        values = {name: form.cleaned_data[name] for name in names}
        try:
            person = make_first_administrator(code=self.kwargs["code"], **values)
        except BadPassword as error:
            form.add_error("password", translate(error))
            return self.form_invalid(form)
        return sign_in(self.request, person)


class ForgottenPasswordPage(FormView[EmailForm]):
    template_name = "account/forgotten_password.html"
    form_class = EmailForm

    def form_valid(self, form: EmailForm) -> HttpResponse:
        now, address = timezone.now(), client_address_of(self.request)
        subject = f"password link {single_client_network(address)}"
        if increment_counter(subject, now=now, window=REQUEST_WINDOW) > MAX_REQUESTS_PER_NETWORK:
            form.add_error(None, _("Too many requests from your network. Try again in an hour."))
            return self.form_invalid(form)
        request_password_link(email=form.cleaned_data["email"], address=address, now=now)
        return render(self.request, "account/link_requested.html", {"email": form.cleaned_data["email"]})


def make_button_context(request: HttpRequest) -> dict[str, object]:
    """Return the context of the button “Sign in with …”."""
    provider = get_identity_provider()
    if provider is None:
        return {"identity_provider": None}
    next_url = get_next_redirect_url(request)
    query = f"?{urlencode({'next': next_url})}" if next_url else ""
    return {
        "identity_provider": provider,
        "sign_in_url": f"{reverse('newsletter_oidc_start')}{query}",
        "only_administrators": provider.passwords == ADMINISTRATORS,
    }


def sign_in(request: HttpRequest, person: User) -> HttpResponse:
    """Sign in somebody who has just chosen their password. Who has a second factor is asked for it."""
    login = Login(user=person)
    response: HttpResponse = perform_password_login(request, {"username": person.username}, login)
    return response
