"""What `python -m bench.gpu` measures: a module for each block, whose ``answer`` runs in a process of its own."""
