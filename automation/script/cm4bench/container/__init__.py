"""The same plan elsewhere: in an image built from it, or in a capsule that needs no network."""
