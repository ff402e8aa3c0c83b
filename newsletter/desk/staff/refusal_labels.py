"""Labels of the codes that name in the staff log why a sign-in or a logout was refused."""

from django.utils.translation import gettext_lazy

LOGGED_REFUSALS = ("newsletter.sign_in_refused", "newsletter.logout_refused")
"""The actions whose `reason` is one of the codes."""
REFUSAL_LABELS = {
    "address_taken": gettext_lazy("another account has the new address"),
    "audience": gettext_lazy("the token is for another program"),
    "cancelled": gettext_lazy("cancelled at the provider"),
    "client_refused": gettext_lazy("the provider refused the desk"),
    "code_used": gettext_lazy("too late, or used before"),
    "email_missing": gettext_lazy("the provider gave no email address"),
    "email_unusable": gettext_lazy("the desk cannot use the email address"),
    "email_unverified": gettext_lazy("the email address is not verified"),
    "ended": gettext_lazy("the provider ended it with an error"),
    "events": gettext_lazy("the token asks for no logout"),
    "expired": gettext_lazy("the token has expired"),
    "foreign_address": gettext_lazy("the address may not enter"),
    "issuer": gettext_lazy("from another identity provider"),
    "issuer_answer": gettext_lazy("the provider’s answer was not understood"),
    "issuer_down": gettext_lazy("the provider did not answer"),
    "last_administrator": gettext_lazy("the desk would have no administrator"),
    "no_administrator": gettext_lazy("the desk has no administrator yet"),
    "no_role": gettext_lazy("the provider gives no role"),
    "nonce": gettext_lazy("the token answers another sign-in"),
    "not_asked_again": gettext_lazy("the provider did not ask again"),
    "not_invited": gettext_lazy("not invited"),
    "other_identity": gettext_lazy("the account belongs to another person"),
    "replayed": gettext_lazy("the token was used before"),
    "state": gettext_lazy("begun in another browser, or too old"),
    "subject": gettext_lazy("the token names nobody, or somebody else"),
    "switched_off": gettext_lazy("the account is switched off"),
    "token": gettext_lazy("the token cannot be trusted"),
    "too_many": gettext_lazy("too many sign-ins from this network"),
}
