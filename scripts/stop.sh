#!/usr/bin/env bash
# `make stop`: stops what `make run` started in this checkout, and what a killed test run may have left; by recorded pids,
# each checked to be ours, never by name.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/services.sh"
. "$ROOT/scripts/env.sh"

stopped=''
if server_runs; then
  step "stopping the server (pid $(server_pid))"
  end_pid "$(server_pid)" "$BAZAR all" 20 || die "the server (pid $(server_pid)) did not stop in 20 seconds: kill -9 it"
  stopped=1
else
  # Still building: its make run, and what that is waiting for.
  run=$(cat "$RUN/run.pid" 2>/dev/null || true)
  if pid_is "$run" scripts/run.sh; then
    step "stopping 'make run' (pid $run)"
    for child in $(ps -o pid= --ppid "$run" 2>/dev/null || true); do kill -TERM "$child" 2>/dev/null || true; done
    end_pid "$run" scripts/run.sh 30 || die "'make run' (pid $run) did not stop in 30 seconds: kill -9 it"
    stopped=1
  fi
fi
# `make run` now stops its services itself; what it did not get to is ours.
wait_for 30 lock run || note "'make run' has not ended yet; stopping its services"
for purpose in run test check bench; do
  if [[ $purpose != run ]] && ! lock "$purpose"; then continue; fi # at work right now
  if postgres_runs "$STATE/$purpose" || redis_runs "$STATE/$purpose"; then
    step "stopping Postgres and Redis of '$purpose'"
    services_down "$STATE/$purpose"
    stopped=1
  fi
done
rm -f "$RUN/server.pid" "$RUN/run.pid" "$RUN/url"
[[ -n $stopped ]] || note "nothing of this checkout is running"
