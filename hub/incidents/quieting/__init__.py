"""Why an incident stays quiet: a part of another, under maintenance, coming and going. Monitoring goes on."""
