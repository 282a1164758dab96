#!/bin/sh
# status.sh NUMBER: running, success or failed, as Snakemake asks for it.
# Slurm remembers a job for some minutes after its end (MinJobAge); one that it does not know failed.
state=$(scontrol --oneliner show job "$1" 2> /dev/null | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p')
case $state in
    COMPLETED) echo success ;;
    PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED | REQUEUED | RESIZING) echo running ;;
    *) echo failed ;;
esac
