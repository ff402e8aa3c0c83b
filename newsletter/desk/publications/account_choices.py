"""The provider accounts that a publication's form offers. Without further accounts, it has no such fields."""

from django import forms
from django.utils.translation import gettext as _

from newsletter.models import Publication
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.sending.accounts import find_account, has_further_accounts, list_usable_accounts

ACCOUNT_FIELDS = ("account", "second_account", "second_warm_up_from")


def offer_accounts(fields: dict[str, forms.Field], publication: Publication) -> None:
    """Let staff choose among the usable accounts, or remove the fields if there is nothing to choose."""
    chosen = (publication.account, publication.second_account)
    if not has_further_accounts() and chosen == (DEFAULT_ACCOUNT, ""):
        for name in ACCOUNT_FIELDS:
            fields.pop(name, None)
        return
    names = [account.name for account in list_usable_accounts()]
    for name, current, empty in (
        ("account", publication.account, []),
        ("second_account", publication.second_account, [("", _("None: the send waits"))]),
    ):
        if name in fields:
            # A chosen account that is gone stays in the list, so that saving another field does not change it unseen.
            offered = [*names, *([current] if current and current not in names else [])]
            fields[name] = forms.ChoiceField(
                label=fields[name].label,
                help_text=fields[name].help_text,
                required=not empty,
                choices=[*empty, *((each, _label(each)) for each in offered)],
                error_messages={
                    "invalid_choice": _(
                        "The provider account “%(value)s” cannot be used, so it was not chosen. Choose one from the list."
                    )
                },
            )


def _label(name: str) -> str:
    account = find_account(name)
    if account is None or account.problem:
        return _("%(account)s (not configured)") % {"account": name}
    return f"{name} – {account.label}"
