"""A commune's year with known faults, as its nodes tell it and as it truly was: what a hub is judged by."""
