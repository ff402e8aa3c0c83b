"""Recognise a story that its site protects by a password, in any form."""

import re

from newsletter.common.messages import Message

# Only the form itself: many themes carry its class in the styles of every page.
_FORM = re.compile(
    r"<form\b[^>]{0,1000}(?:action=postpass|post-password-form)|<input\b[^>]{0,1000}\bname\s*=\s*[\"']?post_password\b",
    re.IGNORECASE,
)
_TITLES = re.compile(
    r"^(?:protected|geschützt|gesch&#252;tzt|protégé|protegido|protegida|protetto|protetta|beveiligd|beschermd|skyddad|"
    r"beskyttet|chroniony|zabezpieczone|защищено)\s*:",
    re.IGNORECASE,
)
_NOTES = re.compile(
    r"^\s*(?:there is no excerpt because this is a protected post"
    r"|es gibt keine kurzfassung, da dies ein geschützter beitrag ist"
    r"|il n.y a pas d.extrait, car cette publication est protégée"
    r"|no hay extracto porque es una entrada protegida)",
    re.IGNORECASE,
)
PROTECTED_REASON = Message("This post is protected by a password, so it is not for a newsletter.")


def has_password_form(html: str) -> bool:
    """Return True if the HTML holds the form in which WordPress asks for a post's password."""
    return bool(_FORM.search(html))


def is_protected_entry(*, title: str, text: str, html: str) -> bool:
    """Return True if a feed's entry is a protected post, by its form, its note, or the prefix of its title."""
    return has_password_form(html) or bool(_NOTES.match(text)) or bool(_TITLES.match(title.strip()))
