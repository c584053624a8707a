#!/usr/bin/env bash
# What the process holds after all of the above; run it last.

bench_memory() {
  row "RSS of the server after the load, MiB" "$(awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$SERVER/status")" "<= 150"
  row "… at its highest, MiB" "$(awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$SERVER/status")"
}
