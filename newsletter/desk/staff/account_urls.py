"""URLs of sign-in, the second factor and sessions. The other pages of django-allauth are closed."""

from typing import NoReturn

from allauth.account import views
from django.http import Http404, HttpRequest
from django.urls import URLPattern, URLResolver, include, path

from newsletter.desk.sign_in.pages import finish_sign_in, start_sign_in
from newsletter.desk.sign_in.provider_logout import log_out_by_provider
from newsletter.desk.staff.one_time_codes import ActivatePage
from newsletter.desk.staff.password_pages import (
    ChoosePasswordPage,
    FirstAdministratorPage,
    ForgottenPasswordPage,
    show_sign_in,
)
from newsletter.desk.staff.second_factor import report_lost_factor


def show_not_found(request: HttpRequest) -> NoReturn:
    raise Http404("Accounts are made by an administrator.")


urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", show_sign_in, name="account_login"),
    path("oidc/", start_sign_in, name="newsletter_oidc_start"),
    path("oidc/again/", start_sign_in, {"again": True}, name="newsletter_oidc_again"),
    path("oidc/callback/", finish_sign_in, name="newsletter_oidc_callback"),
    path("oidc/logout/", log_out_by_provider, name="newsletter_oidc_logout"),
    path("first/<str:code>/", FirstAdministratorPage.as_view(), name="newsletter_first_administrator"),
    path("password/", ForgottenPasswordPage.as_view(), name="newsletter_forgotten_password"),
    path("password/<str:token>/", ChoosePasswordPage.as_view(), name="newsletter_choose_password"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("signup/", show_not_found, name="account_signup"),
    path("2fa/totp/activate/", ActivatePage.as_view(), name="mfa_activate_totp"),
    path("2fa/lost/", report_lost_factor, name="newsletter_lost_factor"),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
]
