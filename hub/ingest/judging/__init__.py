"""What a message means: which node, which time, seen before, what follows from it. Fills a batch."""
