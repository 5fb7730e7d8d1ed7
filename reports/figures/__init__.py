"""Figures of a page: pure functions from plain records to SVG text. Matplotlib is loaded when one is drawn."""
