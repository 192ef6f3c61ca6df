"""The service itself: is it alive, what are its figures, what does its API look like."""
