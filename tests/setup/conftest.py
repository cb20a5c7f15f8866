"""Fixtures for tests of the setup."""

from setup.deployments import cluster

__all__ = ["cluster"]
