"""The worker: what asks the gateway, acts on it, and writes files."""
