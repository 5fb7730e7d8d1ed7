"""The files of a published encoder: what is in them, whether it is whole, and what they are where it is not."""
