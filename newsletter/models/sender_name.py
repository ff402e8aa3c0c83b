"""Checks the names that mail is sent under, wherever they are saved: desk, organisation file, API."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from newsletter.providers.sender_names import find_impersonated_domain, has_address


def check_sender_name(name: str, *, field: str, own: Sequence[str]) -> None:
    """Raises ValidationError of ``field``. ``own`` are the sender's own domains, which the name may hold."""
    if has_address(name):
        raise ValidationError(
            {field: _("The name holds @, < or >, which mailboxes take for a forgery. Use a plain name.")}
        )
    domain = find_impersonated_domain(name, own=own)
    if domain:
        words = _(
            "“%(domain)s” is not the domain of your sender's address, so mailboxes take the name for a forgery. "
            "Leave it out, or write a space after the dot if it is no domain."
        )
        raise ValidationError({field: words % {"domain": domain}})


def domain_of(email: str) -> str:
    """Give the domain of an address in its readable form."""
    domain = email.rpartition("@")[2].lower()
    try:
        return domain.encode("ascii").decode("idna") if "xn--" in domain else domain
    except UnicodeError:
        return domain
