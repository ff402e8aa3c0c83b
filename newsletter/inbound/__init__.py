"""Mail that comes in: to unsubscribe, replies, bounces and automatic replies, from a mailbox or a provider's webhook."""
