"""Build the product as a Debian package that needs no Python: python -m scripts.debian_package.build"""
