"""The one client of the Prometheus HTTP API, its wire types, and every query gpumon sends."""
