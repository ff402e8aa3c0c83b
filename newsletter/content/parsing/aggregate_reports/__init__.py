"""Read DMARC aggregate reports (RFC 9990, RFC 7489), which anybody can forge and which arrive packed."""
