"""Registers the page and the steps of a welcome with Wagtail."""

from django.urls import URLPattern, path, re_path
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from newsletter.desk.welcome.actions import WELCOME_STEPS, run_welcome_step, set_up
from newsletter.desk.welcome.page import WelcomePage
from subscribers.desk.listing import register_log_actions

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


hooks.register("register_admin_urls", register_welcome_urls)
register_log_actions(LOG_ACTIONS)
