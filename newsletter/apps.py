"""The Django app of publishing: it registers with `subscribers` what publishing adds to it."""

from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    name = "newsletter"
    verbose_name = "Publishing"

    def ready(self) -> None:
        from newsletter.feedback import data_export
        from newsletter.feedback.explaining import explain_exclusion, explain_welcome
        from newsletter.inbound import data_export as inbound_data_export
        from newsletter.sending.notices import segment_conditions
        from newsletter.web import subscriber_pages

        segment_conditions.register()
        data_export.register()
        inbound_data_export.register()
        explain_welcome.register()
        explain_exclusion.register()
        subscriber_pages.install_publishing_hooks()
