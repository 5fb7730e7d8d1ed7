"""Averages on the command line: their members, of studies and from files, and what is told and written of them."""
