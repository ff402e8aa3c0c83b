"""The pages of withdrawing, correcting and assembling again, put into Wagtail's administration. Only registrations stand here."""

from typing import Any

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from newsletter.desk.content.corrections import AnnounceChange
from newsletter.desk.content.event_locations import EventLocations
from newsletter.desk.content.withdrawals import WithdrawStory


def register_admin_urls() -> list[URLPattern]:
    return [
        path("stories/withdraw/<int:pk>/", WithdrawStory.as_view(), name="newsletter_story_withdraw"),
        path("events/announce/<int:pk>/", AnnounceChange.as_view(), name="newsletter_event_announce"),
        path("events/places/", EventLocations.as_view(), name="newsletter_event_places"),
    ]


def register_log_actions(actions: Any) -> None:
    actions.register_action("newsletter.withdraw_story", _("Withdraw a story"), _("Story withdrawn"))
    actions.register_action("newsletter.reinstate_story", _("Bring a story back"), _("Withdrawal taken back"))
    actions.register_action("newsletter.announce_change", _("Write a correction"), _("Correction drafted"))
    actions.register_action(
        "newsletter.answer_location_question", _("Say where an event is"), _("Place of an event settled")
    )
    actions.register_action("newsletter.take_back_correction", _("Take a correction back"), _("Correction taken back"))


hooks.register("register_admin_urls", register_admin_urls)
hooks.register("register_log_actions", register_log_actions)
