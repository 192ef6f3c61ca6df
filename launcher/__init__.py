"""`ngonden up`: everything on one machine, as supervised child processes."""
