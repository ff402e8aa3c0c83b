"""The layers that every request passes before a page: limits, ids, timing, and answers that need no page."""
