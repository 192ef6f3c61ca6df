"""Who is told of what, by which channel, and what became of it."""
