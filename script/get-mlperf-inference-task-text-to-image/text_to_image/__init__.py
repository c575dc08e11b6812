"""Text to image: Stable Diffusion XL over captions of COCO 2014."""
