#!/usr/bin/env bash
# start.sh PROGRAM  starts the packed program at v1 and v3, and at v3 only where the CPU can run it.
set -euo pipefail

for level in v1 v3; do
  status=0
  output=$(GOMULTIARCH=level=$level "$1" a b 2>&1) || status=$?
  if [[ $level == v3 && $status == 126 ]]; then
    echo "skipped v3: $output"
    continue
  fi
  if [[ $status != 3 || $output != "$level ok a b" ]]; then
    echo "$level: status $status, output: $output; want 3, '$level ok a b'" >&2
    exit 1
  fi
done
