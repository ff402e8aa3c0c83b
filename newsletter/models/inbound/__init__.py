"""What comes in by mail: replies, bounces and DMARC reports."""
