"""From a study and its analysis to what figures are drawn from."""
