"""A campaign backend for wagtail-newsletter: pages become drafts, which the newsletter's staff approve and send."""
