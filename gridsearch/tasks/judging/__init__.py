"""How predictions are judged: by what the labels are, one class a row, several labels a row, or a number."""
