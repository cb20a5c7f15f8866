"""What fills the terminal: the cluster, and the help over it."""
