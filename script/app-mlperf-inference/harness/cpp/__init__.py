"""Runs answered by the C++ program of `script/app-mlperf-inference-cpp`: Python prepares, then is gone."""
