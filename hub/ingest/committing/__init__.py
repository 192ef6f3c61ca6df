"""One batch, one transaction, and only then the word to broker and nodes."""
