"""The HTTP surface, taken apart by subject: who calls, what they send, what they read."""
