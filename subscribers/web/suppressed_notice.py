"""The text for a person to whom no mail may go, for a reason that no button of theirs removes."""

from django.utils.translation import gettext


def describe_block() -> dict[str, str]:
    """Return the title and the text."""
    return {
        "title": gettext("We may not send mail to this address"),
        "text": gettext(
            "Our mail to it failed, or our staff blocked it. Nothing that you press here changes that. If you want our mail, "
            "please write to us, or sign up with another address."
        ),
    }
