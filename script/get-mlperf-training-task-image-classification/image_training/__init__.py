"""Image classification as a training benchmark: data sets in their own layouts, networks, and the task."""
