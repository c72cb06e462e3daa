#!/bin/sh
# Says what --stamp can put into programs, see --workspace_status_command in .bazelrc.
echo "STABLE_RELEASE ${RELEASE:-development}"
