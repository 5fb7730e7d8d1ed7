"""The noise of runs: how alike those of one seed are, and where it is unequal."""
