"""Commands for poles and cameras as rows, from the request to the measured effect."""
