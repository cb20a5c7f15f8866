"""`gpumon doctor`: walks the way from this machine to the numbers, step by step, and says what to do."""

from gpumon_cli.doctor.walk import run_doctor

__all__ = ["run_doctor"]
