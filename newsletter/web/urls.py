"""Public pages of publishing: the archive, an issue viewed online, the pictures that mails show, and where providers report."""

from django.urls import path

from newsletter.web.archive import show_archives, show_issue, show_issues
from newsletter.web.archive_feed import show_feed
from newsletter.web.online import show_online
from newsletter.web.pictures import show_picture
from newsletter.web.webhooks import take_webhook

urlpatterns = [
    path("news/", show_archives, name="archives"),
    path("news/<slug:slug>/", show_issues, name="archive"),
    path("news/<slug:slug>/feed.xml", show_feed, name="archive_feed"),
    path("news/<slug:slug>/<slug:name>/", show_issue, name="archive_issue"),
    path("view/<slug:public_id>", show_online, name="view_online"),
    path("m/<slug:name>.<slug:extension>", show_picture, name="picture"),
    path("hooks/<slug:provider>/<str:secret>", take_webhook, name="webhook"),
]
