#!/bin/sh
# Prints standard input in capital letters.
exec tr '[:lower:]' '[:upper:]'
