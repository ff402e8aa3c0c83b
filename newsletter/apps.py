from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    name = "newsletter"
    verbose_name = "Publishing"

    def ready(self) -> None:
        from newsletter.feedback import own_record
        from newsletter.models.verbose_names import translate_names
        from newsletter.sending.notices import segment_conditions as conditions
        from newsletter.web import host

        conditions.register()
        own_record.register()
        host.register()
        translate_names()
