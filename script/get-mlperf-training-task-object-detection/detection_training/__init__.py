"""Detectors to be trained: Mask R-CNN and SSD on data in COCO's layout."""
