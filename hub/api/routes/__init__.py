"""The routes, one file per subject; each route declares the role that it needs."""
