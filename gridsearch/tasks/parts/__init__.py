"""Several tasks that are learned together: the parts of one task."""
