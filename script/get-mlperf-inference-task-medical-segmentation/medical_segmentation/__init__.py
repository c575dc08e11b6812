"""Medical segmentation for the MLPerf inference harness: 3D U-Net on KiTS19, and on a head scan."""
