"""Registers the page and the steps of a welcome with Wagtail."""

from django.urls import URLPattern, path, re_path
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogActionRegistry

from newsletter.desk.welcome.actions import WELCOME_STEPS, run_welcome_step, set_up
from newsletter.desk.welcome.page import WelcomePage

LOG_ACTIONS = {
    "welcome_set_up": (_("Set up a welcome"), _("Welcome set up")),
    "welcome_pause": (_("Pause a welcome mail"), _("Welcome mail paused")),
    "welcome_resume": (_("Resume a welcome mail"), _("Welcome mail resumed")),
    "welcome_turn_off": (_("Turn off a welcome mail"), _("Welcome mail turned off")),
    "welcome_days": (_("Change the days of a welcome mail"), _("Days of a welcome mail changed")),
}


def register_welcome_urls() -> list[URLPattern]:
    steps = "|".join(WELCOME_STEPS)
    return [
        path("publications/welcome/<int:pk>/", WelcomePage.as_view(), name="newsletter_welcome"),
        path("publications/welcome/<int:pk>/set-up/", set_up, name="newsletter_welcome_set_up"),
        re_path(
            rf"^publications/welcome/mails/(?P<pk>\d+)/(?P<step>{steps})/$",
            run_welcome_step,
            name="newsletter_welcome_step",
        ),
    ]


def register_welcome_log_actions(actions: LogActionRegistry) -> None:
    for name, (label, message) in LOG_ACTIONS.items():
        actions.register_action(f"newsletter.{name}", label, message)


hooks.register("register_admin_urls", register_welcome_urls)
hooks.register("register_log_actions", register_welcome_log_actions)
