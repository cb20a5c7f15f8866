"""What is seen: each widget shows one thing, knows no source, and talks upwards in messages."""
