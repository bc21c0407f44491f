"""Schema changes; see store/migrate.py."""
