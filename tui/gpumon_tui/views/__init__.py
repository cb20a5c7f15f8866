"""The six views of a cluster, between which the number keys and Tab switch."""
