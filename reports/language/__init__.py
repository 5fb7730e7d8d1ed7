"""The page's sentences, and their Chinese."""
