from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    name = "newsletter"
    verbose_name = "Publishing"

    def ready(self) -> None:
        from newsletter.feedback import data_export
        from newsletter.models.verbose_names import translate_names
        from newsletter.sending.notices import segment_conditions
        from newsletter.web import subscriber_pages as host

        segment_conditions.register()
        data_export.register()
        host.register()
        translate_names()
