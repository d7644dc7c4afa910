"""Tynysh: public-safety video analytics that detects acts and conditions, never identities."""

__version__ = "0.1.0"
