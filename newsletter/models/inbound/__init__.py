"""Models of incoming mail: replies, bounces and DMARC reports."""
