"""Image classification: folders of prepared images, ResNet-50 and EfficientNet-Lite, top-1 accuracy."""
