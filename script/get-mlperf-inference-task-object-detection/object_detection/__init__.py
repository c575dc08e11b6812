"""Object detection: RetinaNet, YOLO11 and YOLOv3-tiny over data sets in COCO's format."""
