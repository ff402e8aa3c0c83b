"""The REST API for the organisation's own systems. It calls services and holds no rules."""
