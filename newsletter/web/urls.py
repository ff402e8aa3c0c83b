"""Public pages of publishing: an issue viewed online, the pictures that mails show, and where providers report."""

from django.urls import path

from newsletter.web.online import show_online
from newsletter.web.pictures import show_picture
from newsletter.web.webhooks import take_webhook

urlpatterns = [
    path("view/<slug:public_id>", show_online, name="view_online"),
    path("m/<slug:name>.<slug:extension>", show_picture, name="picture"),
    path("hooks/<slug:provider>/<str:secret>", take_webhook, name="webhook"),
]
