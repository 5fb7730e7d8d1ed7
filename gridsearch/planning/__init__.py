"""A plan: what a study asks, trial by trial, in which order, how far each runs, and which cost the same."""
