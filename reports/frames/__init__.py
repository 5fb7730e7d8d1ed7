"""A study as tidy pandas tables, for whoever goes on from its numbers: see each module for the columns."""
