"""Which factors matter: what a design can test, against which error, and what it found. Plain data in, records out."""
