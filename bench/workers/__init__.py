"""Several ingests share one PostgreSQL while one after another is killed: nothing lost, nothing twice."""
