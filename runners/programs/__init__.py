"""What programs are told: of every command one JSON object on standard output."""
