# What ran beside all else is waited for, and told.
wait
for name in names gpus gpus.code mig toolkit docker docker.info docker.err docker.ps docker.images podman podman.ps podman.images \
    slurm.nodes slurm.jobs slurm.conf slurm.metrics firewalld; do
    [ -e "$work/$name" ] && { section "$name"; cat "$work/$name"; }
done
section clock; date +%s.%N
