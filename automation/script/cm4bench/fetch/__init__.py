"""Getting bytes: downloads that resume and are verified, archives, packages of PyPI and Debian."""
