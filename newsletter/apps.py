"""The Django apps of publishing. The main one registers with `subscribers` what publishing adds to it.

Two further ones have only commands. Their labels begin with ours, so that apps of other packages may be called `backups` or
`organisation`.
"""

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from subscribers.models import Subscriber
    from subscribers.people.publishing_hooks import PublishingHooks


class NewsletterConfig(AppConfig):
    default = True
    name = "newsletter"
    verbose_name = "Publishing"

    def ready(self) -> None:
        from newsletter.feedback import data_export
        from newsletter.feedback.explaining import explain_welcome
        from newsletter.inbound import data_export as inbound_data_export
        from newsletter.sending.notices import segment_conditions
        from subscribers.identity import register_key_check
        from subscribers.people.data_export import register_export_section
        from subscribers.people.publishing_hooks import register_publishing_hooks

        segment_conditions.register()
        data_export.register()
        inbound_data_export.register()
        explain_welcome.register()
        register_export_section("issues_not_sent", _describe_exclusions)
        register_publishing_hooks(_load_publishing_hooks)
        register_key_check(_require_key_of_database)
        _track_pictures()


class BackupsConfig(AppConfig):
    name = "newsletter.backups"
    label = "newsletter_backups"


class OrganisationConfig(AppConfig):
    name = "newsletter.organisation"
    label = "newsletter_organisation"


def _track_pictures() -> None:
    """Let Wagtail record which pictures a row uses. The desk, which registers these models too, may not be loaded."""
    from wagtail.models.reference_index import ReferenceIndex

    from newsletter.models import Appeal, EventNotice, Issue, Publication, Story

    for model in (Appeal, EventNotice, Issue, Publication, Story):
        ReferenceIndex.register_model(model)


def _describe_exclusions(person: "Subscriber") -> list[dict[str, object]]:
    """Import the section of an export when there is one: it loads everything about what an issue contains."""
    from newsletter.feedback.explaining.explain_exclusion import describe_exclusions_of

    return describe_exclusions_of(person)


def _load_publishing_hooks() -> "PublishingHooks":
    """Import the functions when a page first needs one: a command that shows no page starts sooner without them."""
    from newsletter.web.subscriber_pages import make_publishing_hooks

    return make_publishing_hooks()


def _require_key_of_database() -> None:
    from newsletter.sending.limits.installation_hold import require_key_of_database

    require_key_of_database()
