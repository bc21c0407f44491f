"""MCP servers for tests, written with the official package, each a process of its own."""
