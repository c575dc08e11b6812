"""MLPerf-Lite: trainings described by a file of four sections, templates for such files, and own data sets."""
