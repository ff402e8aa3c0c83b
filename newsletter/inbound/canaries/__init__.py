"""Canary mailboxes, read by IMAP: their accounts, their folders, and what staff are told of them."""
