"""Django's settings, all derived from `newsletter.project.env`."""

from pathlib import Path
from zoneinfo import available_timezones

import dj_database_url

from newsletter.common.translation_kind import list_catalogues, list_desk_languages
from newsletter.google_postmaster.settings import PostmasterAccess
from newsletter.project import env as _environment
from newsletter.project.secret_keys import list_made_keys

ENV = _environment.read()
_TEMPLATES = Path(__file__).parents[2] / "templates"
_TEMPLATES_IN_WHEEL = Path(__file__).parents[1] / "_templates"

SECRET_KEY = ENV.secret_key
SECRET_KEY_FALLBACKS = ENV.old_secret_keys
DEBUG = False
ALLOWED_HOSTS = ["*"] if not ENV.production else [ENV.site_url.split("://", 1)[-1].split(":")[0].split("/")[0]]
CSRF_TRUSTED_ORIGINS = [ENV.site_url]

INSTALLED_APPS = [
    "newsletter",
    "subscribers",
    "newsletter.apps.BackupsConfig",
    "newsletter.apps.OrganisationConfig",
    "newsletter.project.staff_app.StaffConfig",
    "newsletter.project.snippets_app.SnippetsConfig",
    "newsletter.project.images_app.ImagesConfig",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
]

if ENV.engine == "procrastinate":
    INSTALLED_APPS.append("procrastinate.contrib.django")
    PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
    PROCRASTINATE_ON_APP_READY = "newsletter.jobs.queue.listen_to_sends"

MIDDLEWARE = [
    "newsletter.desk.shell.content_security_policy.StoredPageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "newsletter.desk.shell.content_security_policy.ContentSecurityPolicyMiddleware",
    "newsletter.web.layers.body_limits.BodyLimitMiddleware",
    "newsletter.web.layers.bad_requests.UnreadableRequestMiddleware",
    "newsletter.web.layers.request_origins.RequestOriginMiddleware",
    "newsletter.web.layers.mended_links.MendedLinksMiddleware",
    "subscribers.web.public_pages_middleware.PublicPagesMiddleware",
    "newsletter.api.calls.middleware.ApiMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "newsletter.desk.staff.second_factor.StaffSessionMiddleware",
]

ROOT_URLCONF = "newsletter.project.urls"
WSGI_APPLICATION = "newsletter.project.wsgi.application"
FORCE_SCRIPT_NAME = ""  # a SCRIPT_NAME that a server takes from a request header must not change any path

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [(_TEMPLATES if _TEMPLATES.is_dir() else _TEMPLATES_IN_WHEEL) / "web"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # fields of dates have templates of ours, with a nonce

DATABASES = {"default": dj_database_url.parse(ENV.database_url, conn_max_age=60, conn_health_checks=True)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "newsletter.project.sqlite_database"
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
    }
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["ENGINE"] = "newsletter.project.database"
NEWSLETTER_DATABASE_FILE = (
    Path(DATABASES["default"]["NAME"]).absolute()
    if DATABASES["default"]["ENGINE"] == "newsletter.project.sqlite_database"
    else None
)

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = [
    "newsletter.project.passwords.Argon2id",
    # Hashes of earlier versions; each is replaced at the next sign-in.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en-gb"
LANGUAGES = WAGTAILADMIN_PERMITTED_LANGUAGES = [("en-gb", "English"), *list_desk_languages()]  # of the desk
LOCALE_PATHS = [
    *list_catalogues(),
    Path(__file__).parents[1] / "desk/shell/words",
]  # the last: Wagtail’s English, in our words
TIME_ZONE = ENV.time_zone
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = ENV.data_dir / "media"
MEDIA_URL = "/admin/media/"
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.site_url.startswith("https://")
if SESSION_COOKIE_SECURE:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = ENV.hsts_subdomains
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

WAGTAIL_SITE_NAME = "Newsletter"
WAGTAILADMIN_BASE_URL = ENV.site_url
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_ALLOW_UNICODE_SLUGS = False  # the slugs of rows are ASCII, so the browser writes “Ä” as “A”
# Leave out legacy names such as "Cuba" and "localtime": browsers do not know them.
WAGTAIL_USER_TIME_ZONES = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
WAGTAILADMIN_LOGIN_URL = "/accounts/login/"
WAGTAILADMIN_EXTERNAL_LINK_CONVERSION = ""
WAGTAIL_AUTO_UPDATE_PREVIEW_INTERVAL = 250
WAGTAIL_AUTOSAVE_INTERVAL = 1  # in ms after an edit was noted, so that keep_edits.js knows when a save begins
WAGTAILIMAGES_EXTENSIONS = ["avif", "gif", "jpg", "jpeg", "png", "webp"]
WAGTAILIMAGES_IMAGE_FORM_BASE = "newsletter.desk.pictures.image_forms.SandboxedImageForm"
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 40 * 1024 * 1024
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "newsletter.desk.shell.search_backend"}}

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = ACCOUNT_LOGOUT_REDIRECT_URL = "/admin/"
ACCOUNT_ADAPTER = "newsletter.desk.staff.accounts.AccountAdapter"
ACCOUNT_FORMS = {"login": "newsletter.desk.staff.login.EmailLoginForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
# Do not limit sign-ins per account: a stranger's wrong passwords would lock out the owner. The limits are in
# `newsletter/desk/staff/accounts.py`.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": "10/5m/key"}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = ENV.site_url.split("://", 1)[0]
USERSESSIONS_ADAPTER = "newsletter.desk.staff.accounts.SessionsAdapter"
MFA_ADAPTER = "newsletter.desk.staff.accounts.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
SOCIALACCOUNT_ADAPTER = "newsletter.desk.sign_in.adapter.DeskSocialAdapter"
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "newsletter.desk.staff.one_time_codes.SingleUseAuthenticateForm",
    "reauthenticate": "newsletter.desk.staff.one_time_codes.SingleUseReauthenticateForm",
}
CACHES = {
    "default": {
        "BACKEND": "newsletter.project.file_cache.LazyFileCache",
        "LOCATION": ENV.data_dir / "cache",
        "OPTIONS": {
            "MAX_ENTRIES": 10_000
        },  # with the default of 300, many sign-ins would evict the rate-limit counters
    }
}

NEWSLETTER_DEMO = ENV.demo
NEWSLETTER_SITE_URL = ENV.site_url
NEWSLETTER_DATA_DIR = ENV.data_dir
NEWSLETTER_MADE_KEYS = list_made_keys()
NEWSLETTER_PROVIDER_URL = ENV.provider_url
NEWSLETTER_FURTHER_PROVIDER_URLS = ENV.further_provider_urls
NEWSLETTER_ACCOUNT_AWAY_MINUTES = ENV.account_away_minutes
NEWSLETTER_ENGINE = ENV.engine
NEWSLETTER_PRODUCTION = ENV.production
NEWSLETTER_FETCH_ALLOW = ENV.fetch_allow
NEWSLETTER_LINK_CHECKS = ENV.link_checks
NEWSLETTER_PULSE_URL = ENV.pulse_url
NEWSLETTER_METRICS_TOKEN = ENV.metrics_token
NEWSLETTER_LOG = ENV.log
NEWSLETTER_INBOUND = ENV.inbound
NEWSLETTER_INBOUND_ADDRESS = ENV.inbound_address
NEWSLETTER_POSTMASTER = PostmasterAccess(
    key_file=ENV.postmaster_key_file, person=ENV.postmaster_person, endpoint=ENV.postmaster_endpoint
)
NEWSLETTER_OIDC = ENV.oidc
SUBSCRIBERS_SITE_URL = ENV.site_url
SUBSCRIBERS_ADDRESS_KEY = ENV.address_key
SUBSCRIBERS_ONLY_TO = ENV.only_to
SUBSCRIBERS_TRUSTED_PROXIES = ENV.trusted_proxies
SUBSCRIBERS_JOURNAL = ENV.data_dir / "left.journal"
SUBSCRIBERS_LINK_KEYS = ENV.link_keys

LOGGING_CONFIG = "newsletter.monitoring.logs.setup.configure_logging"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"ours": {"()": "newsletter.monitoring.logs.formatters.make_formatter", "style": ENV.log}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"newsletter": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
