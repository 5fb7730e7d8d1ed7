"""Runs in experiment trackers: what a run is, a file a tracker, and what keeps them up to date while trials run."""
