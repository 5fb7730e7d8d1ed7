"""Comparisons of pairs: of rows, of cells, of times."""
