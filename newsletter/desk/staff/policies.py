"""Permission policies of the desk: for all staff, some actions on rows are possible only through services."""

from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy

from newsletter.models import Issue


class ServicePolicy(ModelPermissionPolicy):
    """Model permissions, except for the actions in `never` (such as add, delete), which only services do."""

    def __init__(self, model: type[models.Model], *, never: Iterable[str]) -> None:
        super().__init__(model)
        self.never = frozenset(never)

    def user_has_permission(self, user: User | AnonymousUser, action: str) -> bool:
        return action not in self.never and bool(super().user_has_permission(user, action))

    def user_has_any_permission(self, user: User | AnonymousUser, actions: Iterable[str]) -> bool:
        return any(self.user_has_permission(user, action) for action in actions)


ISSUE_POLICY = ServicePolicy(Issue, never=("add", "delete", "publish", "lock", "unlock"))

register_permission_policy(Issue, ISSUE_POLICY)
