"""The objectives of a search, and the pruner that compares seeds: said to Optuna, in the ledger and on the page."""

METRIC, SECONDS = "metric", "seconds"
OBJECTIVES = (METRIC, SECONDS)
"""What can be optimised: the task's metric on dev, and the seconds that a trial takes (the fewer the better)."""
BY_SEED = "wilcoxon"
"""The pruner that compares cells over seeds; the others compare them over epochs."""
