"""Measuring: footage analysis, evaluation, benchmarks."""
