"""What `gpumon setup` can be told to do, one file each, which has `run(options) -> exit code`."""
