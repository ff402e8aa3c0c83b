"""URLs of the public pages of publishing: the archive, online views, links and pictures of mails, webhooks."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from newsletter.web.archive import show_archives, show_issue, show_issues, show_story
from newsletter.web.archive_feed import show_feed
from newsletter.web.calendar import go_to_google, go_to_outlook, show_calendar_choices, show_calendar_file
from newsletter.web.clicks import follow_link
from newsletter.web.icons import show_icon, show_site_icon
from newsletter.web.inbound import receive_mail
from newsletter.web.online import show_online
from newsletter.web.pictures import show_picture
from newsletter.web.proof import show_proof_link
from newsletter.web.webhooks import receive_webhook


class _ClickMac(StringConverter):
    regex = "[0-9a-f]{32}"


register_converter(_ClickMac, "click_mac")
urlpatterns = [
    path("news/", show_archives, name="archives"),
    path("news/<slug:slug>/", show_issues, name="archive"),
    path("news/<slug:slug>/feed.xml", show_feed, name="archive_feed"),
    path("news/<slug:slug>/<slug:name>/", show_issue, name="archive_issue"),
    path("news/<slug:slug>/<slug:name>/stories/<int:story>/", show_story, name="archive_story"),
    path("r/<slug:issue>/<click_mac:mac>", follow_link, name="follow_link"),
    path("view/<slug:public_id>", show_online, name="view_online"),
    path("proof/<slug:name>", show_proof_link, name="proof_link"),
    path("calendar/<slug:name>", show_calendar_choices, name="calendar"),
    path("calendar/<slug:name>.ics", show_calendar_file, name="calendar_file"),
    path("calendar/<slug:name>/google", go_to_google, name="calendar_google"),
    path("calendar/<slug:name>/outlook", go_to_outlook, name="calendar_outlook"),
    path("favicon.ico", show_site_icon, name="site_icon"),
    path("m/icons/<slug:network>.png", show_icon, name="icon"),
    path("m/<slug:name>.<slug:extension>", show_picture, name="picture"),
    path("hooks/<slug:provider>/<str:secret>", receive_webhook, name="webhook"),
    path("inbound/<slug:provider>/<slug:secret>", receive_mail, name="inbound_mail"),
    path("inbound/<slug:provider>/<slug:secret>/mime", receive_mail),
]
