"""Register the steps of a send and their log actions with Wagtail."""

from django.urls import path, re_path

from newsletter.desk.sends.accounts import MoveAccount
from newsletter.desk.sends.actions import ACTION_LABELS, BATCH_STEPS, SEND_STEPS, run_batch_step, run_send_step
from newsletter.desk.sends.confirmations import ConfirmStep, SendProgress
from newsletter.desk.sends.people.refused import RetryRefused
from subscribers.desk.listing import register_log_actions, register_pages

_SEND = r"^issues/(?P<pk>\d+)/send/"
_BATCH = r"^issues/(?P<pk>\d+)/batches/(?P<batch>\d+)/"
_CONFIRM = ConfirmStep.as_view()

register_pages(
    path("issues/<int:pk>/send/progress/", SendProgress.as_view(), name="newsletter_send_progress"),
    path("issues/<int:pk>/send/account/", MoveAccount.as_view(), name="newsletter_send_account"),
    path("issues/<int:pk>/send/retry/", RetryRefused.as_view(), name="newsletter_send_retry"),
    re_path(rf"{_SEND}(?P<step>start|cancel)/sure/$", _CONFIRM, name="newsletter_send_ask"),
    re_path(rf"{_SEND}(?P<step>{'|'.join(SEND_STEPS)})/$", run_send_step, name="newsletter_send_step"),
    re_path(rf"{_BATCH}(?P<step>again|leave|took)/sure/$", _CONFIRM, name="newsletter_batch_ask"),
    re_path(rf"{_BATCH}(?P<step>{'|'.join(BATCH_STEPS)})/$", run_batch_step, name="newsletter_batch_step"),
)
register_log_actions(ACTION_LABELS)
