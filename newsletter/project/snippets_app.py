"""Wagtail's app for snippets, which does not import the whole desk at every start.

It leaves out what Wagtail 8 registers for its own REST interface, which no address serves: content types and a router.
Compare `ready` with Wagtail's when you raise its version.
"""

from django.db.models.signals import post_migrate
from wagtail.snippets.apps import WagtailSnippetsAppConfig


class SnippetsConfig(WagtailSnippetsAppConfig):
    def ready(self) -> None:
        from wagtail.snippets.models import create_extra_permissions, register_deferred_snippets

        register_deferred_snippets()
        post_migrate.connect(create_extra_permissions, sender=self)
