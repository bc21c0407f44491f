"""What happens to a message: its label, its specialist, its turn."""
