"""The blocks of `python -m bench.gpu`: a module for each block, whose ``answer`` runs in a process of its own."""
