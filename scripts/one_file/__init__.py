"""Build the product as one file for Linux that needs no Python: python -m scripts.one_file.build"""
