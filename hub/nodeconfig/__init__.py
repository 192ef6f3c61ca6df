"""The configuration the hub wants in force on each node: wished, versioned, sent, compared."""
