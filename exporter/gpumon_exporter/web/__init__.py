"""How the metrics are served: HTTP, TLS, passwords."""
