"""Several ingests on one PostgreSQL: who takes which communes, and how the others follow one that dies."""
