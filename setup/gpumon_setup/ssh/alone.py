"""Lets paramiko be loaded without a library that only its own reader of ssh_config could use: ours is another."""

import sys

# It costs as much as half of paramiko. None is Python's word for what is not to be had, which paramiko takes well.
sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]  # the library's annotation knows modules only
