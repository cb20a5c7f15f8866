# What ran beside all else is waited for, and told.
wait
set --
for name in names gpus gpus.code mig docker docker.info docker.err docker.ps docker.images podman podman.ps podman.images \
    slurm.nodes slurm.jobs slurm.conf slurm.metrics firewalld; do
    [ -e "$work/$name" ] && { section "$name" >"$work/$name.head"; set -- "$@" "$work/$name.head" "$work/$name"; }
done
cat "$@"
section clock; date +%s.%N
