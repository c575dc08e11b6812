"""Tasks: data, preparation, response bytes, quality."""
