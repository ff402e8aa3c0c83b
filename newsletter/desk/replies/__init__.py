"""The page of mail that comes in: mailboxes, and the mails that wait for staff."""
