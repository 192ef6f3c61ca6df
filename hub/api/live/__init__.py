"""What is pushed: news out of the database to every page that listens."""
