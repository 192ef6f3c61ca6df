"""`ngonden edge doctor`: what is wired, what answers, and what to do next, in a technician's words."""
