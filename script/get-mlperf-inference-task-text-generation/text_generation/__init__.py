"""Text generation: every LLM benchmark of MLPerf inference is one of these, with its own data, limits and metric."""
