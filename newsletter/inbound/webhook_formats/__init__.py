"""Read the mails that providers post, each in its own form. `newsletter.inbound.webhooks` chooses which."""
