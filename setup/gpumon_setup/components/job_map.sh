# It always ends with 0 and never waits long: Slurm takes a node out of service when this fails or hangs.
trap 'exit 0' EXIT HUP INT TERM
exec </dev/null >/dev/null 2>&1
umask 022
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
job=$SLURM_JOB_ID
case $job in '' | *[!0-9]*) exit 0 ;; esac

names=  # of the job's GPUs, as dcgm-exporter numbers them: "0", or "0.3" for a slice of MIG
add() { case " $names " in *" $1 "*) ;; *) names="$names $1" ;; esac; }

look() {  # the driver's cards in the order of the PCI bus, which is dcgm-exporter's: " UUID=INDEX UUID=INDEX"
    cards= count=0 in_order=yes
    for page in "$driver"/gpus/*/information; do
        [ -r "$page" ] || continue
        uuid= minor= left_out=
        while read -r first second value _; do
            case "$first $second" in
                'GPU UUID:') uuid=$value ;;
                'Device Minor:') minor=$value ;;
                'GPU Excluded:') [ "$value" != Yes ] || left_out=yes ;;
            esac
        done <"$page"
        [ "$minor" = "$count" ] || in_order=no
        [ -z "$left_out" ] || continue
        cards="$cards $uuid=$count"
        count=$((count + 1))
    done
    for slice in "$driver"/capabilities/gpu*/mig/gi*; do [ ! -e "$slice" ] || in_order=no; done
}

card() {  # UUID SLICE: the card's number, where the driver knows it
    case "$cards " in *" $1="*) number=${cards#*" $1="}; add "${number%% *}${2:+.$2}" ;; esac
}

field() {  # NAME: what the map's line says of it
    told=${line#*[!A-Za-z_]"$1"=\"}
    if [ "$told" = "$line" ]; then told=; else told=${told%%\"*}; fi
}

gpu() {  # NUMBER: one of Slurm's, by the map that gpumon made at boot; without it only where all orders are the same
    if [ -r "$map" ]; then
        while read -r line; do
            case $line in gpumon_slurm_gpu_info*) field gpu ;; *) continue ;; esac
            [ "$told" = "$1" ] || continue
            field GPU_I_ID; slice=$told; field UUID; card "$told" "$slice"
        done <"$map"
    elif [ "$in_order" = yes ] && [ "$1" -lt "$count" ]; then
        add "$1"
    fi
}

gpus_of_job() {
    look
    case $CUDA_VISIBLE_DEVICES in
        GPU-*)  # newer Slurms may name the cards themselves
            for word in $(echo "$CUDA_VISIBLE_DEVICES" | tr ',' ' '); do card "$word" ''; done
            return ;;
    esac
    for word in $(echo "$SLURM_JOB_GPUS" | tr ',' ' '); do
        first=${word%%-*} last=${word##*-}
        case $first in '' | *[!0-9]* | ?????*) continue ;; esac
        case $last in '' | *[!0-9]* | ?????*) continue ;; esac
        while [ "$first" -le "$last" ]; do gpu "$first"; first=$((first + 1)); done
    done
}

others() {  # FILE: the jobs in it but this one, and whether this one is among them
    held= was_there=no
    [ -f "$1" ] || return 0
    while read -r other || [ -n "$other" ]; do
        case $other in
            '' | *[!0-9]*) ;;
            "$job") was_there=yes ;;
            *) held="$held$other
" ;;
        esac
    done <"$1"
}

put() {  # NAME: its jobs take their place in one move
    printf %s "$held" >"$folder/.$1.new" && mv -f "$folder/.$1.new" "$folder/$1"
}

update() {
    for file in "$folder"/[0-9]*; do
        name=${file##*/}
        case $name in *[!0-9.]*) continue ;; esac
        case " $names " in *" $name "*) continue ;; esac
        others "$file"
        [ "$was_there" = no ] || put "$name"  # emptied, never removed: /metrics fails when a listed file is gone
    done
    for name in $names; do
        others "$folder/$name"
        held="$held$job
"
        put "$name"
    done
}

if [ "$when" = start ]; then
    gpus_of_job
    [ -n "$names" ] || exit 0
    mkdir -p "$folder"
fi
[ -d "$folder" ] || exit 0
{
    if command -v flock; then flock -w 5 9 || exit 0; fi
    update
} 9>"$folder/.lock"
