"""Canary mailboxes, read by IMAP: their accounts, their folders, and the notices to staff."""
