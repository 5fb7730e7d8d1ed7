"""The shared core: everything that a worker needs to run one trial. No Ray, no Optuna, no report in here."""

__version__ = "0.1.0"
