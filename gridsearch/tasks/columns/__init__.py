"""What columns of an unknown table are: by their names, and by the values of the label."""
