#!/bin/sh
# Rests as the programs of the benchmark do.
exec >&-
exec cat >/dev/null
