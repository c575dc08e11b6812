"""Networks that segment volumes, to be trained: 3D U-Net on data in the layout of KiTS19."""
