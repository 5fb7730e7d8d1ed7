"""What trials will cost: measured, kept, added up."""
