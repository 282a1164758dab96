#!/usr/bin/env bash
# one_node.sh start|stop DIR
#
# A Slurm of one node, this machine, for the test beside: everything (configuration, key, sockets,
# logs, numbers of processes) in DIR, which must not be there before. Run by any user, for that
# user; nothing is installed and nothing outside DIR is written. DIR is short: sockets have no long
# names. Its commands are in DIR/bin: Snakemake's executor takes SLURM_CONF from what it starts.
set -euo pipefail
[ $# = 2 ] || { echo "usage: one_node.sh start|stop DIR" >&2; exit 2; }
dir=$2
pids=(slurmd slurmctld munged)

stop() {
    local name pid
    # what runs would go on without them
    if [ -s "$dir/slurmctld.pid" ] && timeout 10 "$dir/bin/scancel" --user="$(id -un)" 2> /dev/null; then
        for _ in $(seq 50); do [ -n "$(timeout 10 "$dir/bin/squeue" --noheader)" ] || break; sleep 0.2; done
    fi
    for name in "${pids[@]}"; do
        [ -s "$dir/$name.pid" ] || continue
        pid=$(cat "$dir/$name.pid")
        kill "$pid" 2> /dev/null || continue
        for _ in $(seq 50); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2> /dev/null || true
    done
}

# until COMMAND...: wait for it, ten seconds
until_true() {
    for _ in $(seq 50); do if "$@" > /dev/null 2>&1; then return; fi; sleep 0.2; done
    echo "one_node.sh: no answer to: $*" >&2
    cat "$dir"/*.log >&2 2> /dev/null || true
    stop
    exit 1
}

if [ "$1" = stop ]; then stop; exit; fi
export PATH=$PATH:/usr/sbin:/sbin
for program in munged slurmctld slurmd sbatch srun; do
    command -v $program > /dev/null || { echo "$program is missing: apt-get install slurm-wlm munge" >&2; exit 2; }
done
mkdir -m 755 "$dir"
mkdir -m 700 "$dir/state" "$dir/spool" "$dir/bin"
for program in sbatch srun squeue scancel scontrol sinfo; do
    printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$dir/slurm.conf" "$(command -v $program)" > "$dir/bin/$program"
    chmod 755 "$dir/bin/$program"
done
# two ports that nothing listens to: another node may be here
port=26817
while (: <> "/dev/tcp/127.0.0.1/$port" || : <> "/dev/tcp/127.0.0.1/$((port + 1))") 2> /dev/null; do
    port=$((port + 2))
done
host=$(hostname -s)
read -r cpus memory < <(slurmd -C | sed -n 's/.*CPUs=\([0-9]*\).*RealMemory=\([0-9]*\).*/\1 \2/p')

cat > "$dir/slurm.conf" << CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
# Without cgroups, which need root and which a container may not give: slurmd itself looks every
# second at what jobs use, and ends those that use more memory than they asked for.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=UsePss,OverMemoryKill
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=1,sched_interval=2
MinJobAge=300
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$((memory - 512)) State=UNKNOWN
PartitionName=test Nodes=$host Default=YES MaxTime=1:00:00 DefMemPerCPU=500 State=UP
CONF
export SLURM_CONF=$dir/slurm.conf

( umask 077; head -c 1024 /dev/urandom > "$dir/munge.key" )
munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munged.seed" > "$dir/start.log" 2>&1
slurmctld >> "$dir/start.log" 2>&1
until_true scontrol ping
slurmd >> "$dir/start.log" 2>&1
until_true sh -c 'sinfo --noheader --format %t | grep -q idle'
sinfo
