"""Notices to staff: the `about_…` modules write them as rows, `mail_notices` mails them."""
