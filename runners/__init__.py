"""The driver side: the command line and the runners."""
