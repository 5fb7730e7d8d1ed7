"""Markdown, HTML, LaTeX and CSV."""
