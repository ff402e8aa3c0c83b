"""The staff that a comment mentions: `@name` with the exact name of an account of somebody who may open issues."""

import re

from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db.models import Q

from newsletter.common.errors import NotAllowed, NotFound

OPENING_PERMISSIONS = ("view_issue", "change_issue", "approve_issue", "send_issue")
"""Each of them opens an issue in the desk."""
_MENTION = re.compile(r"(?<![\w.+@-])@([\w+-]+(?:[.@+-]+\w+)*)")


def find_issue_staff() -> list[User]:
    """Return the active staff who may open issues, by name."""
    permissions = Permission.objects.filter(content_type__app_label="newsletter", codename__in=OPENING_PERMISSIONS)
    allowed = Q(groups__permissions__in=permissions) | Q(user_permissions__in=permissions) | Q(is_superuser=True)
    return list(User.objects.filter(allowed, is_active=True).distinct().order_by("username"))


def may_open_issues(person: User | AnonymousUser) -> bool:
    return any(person.has_perm(f"newsletter.{name}") for name in OPENING_PERMISSIONS)


def require_issue_staff(person: User | AnonymousUser) -> None:
    """Raise NotAllowed if the person may not open issues."""
    if not may_open_issues(person):
        raise NotAllowed(
            "%(by)s may not open issues. An administrator can give the role “writer” or “editor”.", by=person
        )


def find_mentioned(text: str) -> list[User]:
    """Return the staff whom the text mentions. Raises NotFound with the names that no such person has."""
    names = dict.fromkeys(_MENTION.findall(text))
    staff = {person.username: person for person in find_issue_staff()}
    unknown = [name for name in names if name not in staff]
    if unknown:
        raise NotFound(
            "Nobody who may open issues is called %(names)s, so the comment was not saved. Write the name of an account, "
            "such as @ann@example.org, or choose the person under “Notify”.",
            names=", ".join(f"“{name}”" for name in unknown),
        )
    return [staff[name] for name in names]
