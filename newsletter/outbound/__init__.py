"""Webhooks to the organisation's other systems, in the manner of Standard Webhooks."""
