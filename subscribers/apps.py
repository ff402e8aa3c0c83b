from django.apps import AppConfig


class SubscribersConfig(AppConfig):
    name = "subscribers"
    verbose_name = "People"

    def ready(self) -> None:
        """Make the model of segments check its rules. It cannot import the rules itself, because they use the models."""
        from subscribers.models import Segment
        from subscribers.segments.compile import validate_rule

        Segment._meta.get_field("rule").validators.append(validate_rule)
