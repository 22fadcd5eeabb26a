"""Configurations that are shipped as examples."""
