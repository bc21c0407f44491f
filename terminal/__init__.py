"""What people see in a terminal: one trial message, and the routing lines as they come."""
