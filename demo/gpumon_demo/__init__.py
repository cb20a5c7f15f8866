"""A believable cluster made of arithmetic: a source for the dashboard and exposition text for a real Prometheus."""
