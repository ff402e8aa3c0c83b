"""Compare this system with other senders, on the same imitation of a provider. See benchmarks/README.md."""
