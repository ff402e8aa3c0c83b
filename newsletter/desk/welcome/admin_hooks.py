"""Registers the page and the steps of a welcome with Wagtail."""

from django.urls import path, re_path
from django.utils.translation import gettext_lazy as _

from newsletter.desk.welcome.actions import WELCOME_STEPS, run_welcome_step, set_up
from newsletter.desk.welcome.page import WelcomePage
from subscribers.desk.listing import register_log_actions, register_pages

LOG_ACTIONS = {
    "welcome_set_up": (_("Set up a welcome"), _("Welcome set up")),
    "welcome_pause": (_("Pause a welcome mail"), _("Welcome mail paused")),
    "welcome_resume": (_("Resume a welcome mail"), _("Welcome mail resumed")),
    "welcome_turn_off": (_("Turn off a welcome mail"), _("Welcome mail turned off")),
    "welcome_days": (_("Change the days of a welcome mail"), _("Days of a welcome mail changed")),
}

register_pages(
    path("publications/welcome/<int:pk>/", WelcomePage.as_view(), name="newsletter_welcome"),
    path("publications/welcome/<int:pk>/set-up/", set_up, name="newsletter_welcome_set_up"),
    re_path(
        rf"^publications/welcome/mails/(?P<pk>\d+)/(?P<step>{'|'.join(WELCOME_STEPS)})/$",
        run_welcome_step,
        name="newsletter_welcome_step",
    ),
)
register_log_actions(LOG_ACTIONS)
