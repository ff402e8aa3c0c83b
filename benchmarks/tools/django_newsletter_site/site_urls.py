"""The addresses that django-newsletter links to."""

from django.urls import include, path

urlpatterns = [path("newsletter/", include("newsletter.urls"))]
