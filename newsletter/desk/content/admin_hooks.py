"""Register the pages and log actions of stories and events with Wagtail."""

from django.urls import path
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from newsletter.desk.content.corrections import AnnounceChangePage
from newsletter.desk.content.event_locations import EventLocationsPage
from newsletter.desk.content.find_sources import FindSourcePage
from newsletter.desk.content.withdrawals import WithdrawStoryPage
from newsletter.desk.home.checked_events import check_events
from newsletter.desk.pictures.bulk_changes import BULK_PAGES, MovePictures, TagPictures
from newsletter.desk.pictures.library_pages import DeletePictures
from subscribers.desk.listing import register_log_actions, register_pages

LOG_ACTIONS = {
    "withdraw_story": (_("Withdraw a story"), _("Story withdrawn")),
    "reinstate_story": (_("Reinstate a story"), _("Story reinstated")),
    "withdraw_image": (_("Withdraw an image"), _("Image withdrawn, also from delivered emails")),
    "read_source": (_("Read a source now"), _("Source read")),
    "announce_change": (_("Draft a correction"), _("Correction drafted")),
    "answer_location_question": (_("Set an event’s location"), _("Event location set")),
    "events_checked": (_("Check unsure events"), _("Unsure events checked")),
    "take_back_correction": (_("Cancel a correction"), _("Correction cancelled")),
}

register_pages(
    path("stories/withdraw/<int:pk>/", WithdrawStoryPage.as_view(), name="newsletter_story_withdraw"),
    path("events/announce/<int:pk>/", AnnounceChangePage.as_view(), name="newsletter_event_announce"),
    path("events/checked/", check_events, name="newsletter_events_checked"),
    path("sources/find/", FindSourcePage.as_view(), name="newsletter_source_find"),
    path("events/places/", EventLocationsPage.as_view(), name="newsletter_event_places"),
    BULK_PAGES,
)
for bulk_action in (DeletePictures, TagPictures, MovePictures):
    hooks.register("register_bulk_action", bulk_action, order=1)  # after Wagtail's, which it replaces
register_log_actions(LOG_ACTIONS)
