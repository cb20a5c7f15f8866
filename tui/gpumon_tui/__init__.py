"""The live dashboard: a Textual app over one immutable snapshot at a time."""
