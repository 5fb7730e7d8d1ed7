"""A study as other tools read it: tables, experiment trackers, a Hugging Face folder; a file each."""
