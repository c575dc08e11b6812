"""2-D segmentation as a training benchmark: folders of pictures and masks, a U-Net, and the task."""
