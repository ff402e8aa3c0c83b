"""The senders that are compared, one module each."""
