"""How long lamps were lit while due and cameras healthy, from coverage intervals, in SQL."""
