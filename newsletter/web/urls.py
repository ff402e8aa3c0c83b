"""Public pages of publishing: an issue viewed online, and the pictures that mails show."""

from django.urls import path

from newsletter.web.pictures import show_picture
from newsletter.web.online import show_online

urlpatterns = [
    path("view/<slug:public_id>", show_online, name="view_online"),
    path("m/<slug:name>.<slug:extension>", show_picture, name="picture"),
]
