"""Tasks that need no file: their rows are read from the sources of the installed libraries."""
