"""The encoder `tiny`: how it is made from texts."""
