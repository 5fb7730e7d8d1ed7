"""What is particular to training several parts."""
