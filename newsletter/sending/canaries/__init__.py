"""Canaries: send an issue to our own mailboxes first and last, judge what arrived there, and decide whether the rest goes on."""
