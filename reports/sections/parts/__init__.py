"""What pages say of the parts of a task."""
