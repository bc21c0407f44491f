"""What one server holds, beside a bare endpoint that only streams one call of the SDK."""
