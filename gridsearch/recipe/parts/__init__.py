"""How several parts are learned together: knobs, and how many rows and batches of each an epoch has."""
