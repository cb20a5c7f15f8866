"""The configuration: found, read and checked as a whole, so that every mistake is told at once."""

from gpumon.config.loading import load_settings, with_overrides

__all__ = ["load_settings", "with_overrides"]
