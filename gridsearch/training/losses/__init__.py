"""The loss of a step, by what the labels are."""
