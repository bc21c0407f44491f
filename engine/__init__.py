"""What turns a request into pieces: Claude, the local engine, and the failover between them."""
