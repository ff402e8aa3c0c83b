from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    name = "newsletter"
    verbose_name = "Publishing"

    def ready(self) -> None:
        from newsletter.feedback import data_export as own_record
        from newsletter.models.verbose_names import translate_names
        from newsletter.sending.notices import segment_conditions as conditions
        from newsletter.web import subscriber_pages

        conditions.register()
        own_record.register()
        subscriber_pages.install_publishing_hooks()
        translate_names()
