"""What loading a network has in common for all tasks."""
