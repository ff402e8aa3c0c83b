"""Accept each code of an authenticator app once, by storing the time step of the last accepted code.

django-allauth stores used codes in the cache, which may be emptied, and does not store the code that sets an app up.
"""

import hmac

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.utils import decrypt
from django.db import transaction
from django.http import HttpResponse

LAST_STEP = "last_step"


def mark_code_used(authenticator: Authenticator, *, code: str) -> bool:
    """Record that a valid code was used. Return False if it, or a later one, was used before."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        step = _find_time_step(code, secret=decrypt(row.data["secret"]))
        if step is None or step <= row.data.get(LAST_STEP, 0):
            return False
        row.data[LAST_STEP] = step
        row.save(update_fields=["data"])
    return True


class _SingleUseCodeMixin:
    """Refuse a used code like a wrong one."""

    authenticator: Authenticator

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]  # a method of the form class
        totp = self.authenticator.type == Authenticator.Type.TOTP
        if totp and not mark_code_used(self.authenticator, code=code):
            raise get_adapter().validation_error("incorrect_code")
        return code


class SingleUseAuthenticateForm(_SingleUseCodeMixin, AuthenticateForm):
    """The code at sign-in."""


class SingleUseReauthenticateForm(_SingleUseCodeMixin, ReauthenticateForm):
    """The code that a later step asks for."""


class ActivatePage(ActivateTOTPView):
    """Set up an app. The code that confirms it cannot be used again."""

    def form_valid(self, form: ActivateTOTPForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        app = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        mark_code_used(app, code=form.cleaned_data["code"])
        return response


def _find_time_step(code: str, *, secret: str) -> int | None:
    """Return the newest tolerated time step with this code, or None."""
    typed = normalize_user_code(code).encode()
    steps = [
        step
        for step in yield_hotp_counters_from_time()
        if hmac.compare_digest(format_hotp_value(hotp_value(secret, step)).encode(), typed)
    ]
    return max(steps, default=None)
