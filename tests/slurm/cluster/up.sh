#!/bin/bash
# Start a Slurm of seven virtual nodes on this machine's loopback, with accounting. Argument: a folder for its state.
# As root, with Debian's slurmctld, slurmd, slurm-client, munge, slurmdbd and mariadb-server installed.
# The file must be /etc/slurm/slurm.conf: Slurm drops SLURM_CONF from the environment of a job's steps.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
socket=$folder/run/mariadb.sock
unset SLURM_CONF

wait_for() { # seconds, command...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "waited in vain for: $*" >&2; return 1; }
		sleep 0.25
	done
}
filled() { sed -e "s|@DIR@|$folder|g" -e "s|@HOST@|$(hostname -s)|g" "$here/$1"; }
all_idle() { [ "$(sinfo -h -N -o %T | grep -c '^idle$')" = 7 ]; }

mkdir -p "$folder"/{run,spool/n{1..7},state,log,db} /etc/slurm
chmod 755 "$folder" "$folder/run"
filled slurm.conf.in >/etc/slurm/slurm.conf
install -m 600 /dev/null /etc/slurm/slurmdbd.conf
filled slurmdbd.conf.in >/etc/slurm/slurmdbd.conf

install -d -o munge -g munge -m 0755 /run/munge
[ -s /etc/munge/munge.key ] || (umask 077 && head -c 128 /dev/urandom >/etc/munge/munge.key && chown munge: /etc/munge/munge.key)
if ! munge -n >/dev/null 2>&1; then
	setpriv --reuid=munge --regid=munge --clear-groups munged
	wait_for 10 test -s /run/munge/munged.pid
	cp /run/munge/munged.pid "$folder/run/" # down.sh stops the one that was started here, and no other
fi
wait_for 10 sh -c 'munge -n | unmunge'

chown mysql: "$folder/db" "$folder/run"
mariadb-install-db --no-defaults --user=mysql --datadir="$folder/db" --auth-root-authentication-method=socket >/dev/null
# Durability off: these accounts are thrown away.
setsid mariadbd --no-defaults --user=mysql --datadir="$folder/db" --socket="$socket" --pid-file="$folder/run/mariadbd.pid" \
	--skip-networking --innodb-flush-log-at-trx-commit=0 --innodb-lock-wait-timeout=900 \
	--innodb-buffer-pool-size=128M >"$folder/log/mariadbd.log" 2>&1 </dev/null &
wait_for 30 mysqladmin --no-defaults --socket="$socket" ping
mysql --no-defaults --socket="$socket" -e 'create database if not exists slurm_acct_db'
MYSQL_UNIX_PORT=$socket slurmdbd
wait_for 30 sacctmgr -n list cluster
sacctmgr -i -Q add cluster ci
sacctmgr -i -Q add account ci description=ci organization=ci
sacctmgr -i -Q add user "$(id -un)" account=ci

slurmctld
for node in n{1..7}; do slurmd -N $node; done
wait_for 30 all_idle
timeout 20 srun -N2 -l hostname
touch "$folder/ready"
