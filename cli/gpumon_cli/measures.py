"""The measures of a cluster that a condition can name, with their meaning and their unit."""
