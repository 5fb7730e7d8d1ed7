"""How far the work is, and how long the rest takes."""
