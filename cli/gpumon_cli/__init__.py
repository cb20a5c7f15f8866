"""The `gpumon` command: quick checks for people and scripts, and the way into every front end."""
