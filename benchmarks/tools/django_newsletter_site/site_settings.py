"""The smallest Django site that sends with django-newsletter."""

import os

SECRET_KEY = "only for a benchmark"  # noqa: S105
USE_TZ = True
SITE_ID = 1
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin",
    "django.contrib.sites",
    "sorl.thumbnail",
    "newsletter",
    "anymail",
]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "site_urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BENCH_DATABASE"]}}
EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
ANYMAIL = {
    "MAILGUN_API_KEY": "bench",
    "MAILGUN_SENDER_DOMAIN": "news.example.org",
    "MAILGUN_API_URL": os.environ["BENCH_PROVIDER"] + "/v3",
}
NEWSLETTER_USE_HTTPS = True
# The admin pages are installed, because the package needs them, and never served.
SILENCED_SYSTEM_CHECKS = ["admin.E402", "admin.E404", "admin.E408", "admin.E409", "admin.E410", "admin.W411"]
NEWSLETTER_THUMBNAIL = "sorl-thumbnail"
