"""What scoring an accuracy log has in common for all tasks."""
