#!/usr/bin/env bash
# start.sh PROGRAM  starts the packed program at each level, and at those above v1 only where the CPU can run them.
set -euo pipefail

for level in v1 v2 v3 v4; do
  status=0
  output=$(GOMULTIARCH=level=$level "$1" a b 2>&1) || status=$?
  if [[ $level != v1 && $status == 126 ]]; then
    echo "skipped $level: $output"
    continue
  fi
  if [[ $status != 3 || $output != "$level ok a b" ]]; then
    echo "$level: status $status, output: $output; want 3, '$level ok a b'" >&2
    exit 1
  fi
done
