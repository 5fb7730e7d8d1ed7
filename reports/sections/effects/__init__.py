"""The section that answers the title, and its sentences."""
