#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Break the server as simulation.txt says, one breakage at a time, in a copy of the tree, and run the
# simulation: after how many seeds it is caught.
#
#     tests/mutants/simulation.sh [NAME...]      SEEDS=500 of each at most; exit 1 if one survived
# shellcheck source=tests/mutants/lib.sh
. "$(dirname "$0")/lib.sh"
MUTANTS=$here/simulation.txt
export MUTANTS

caught_by() {
	make tests/ipledger-sim || { echo "the compiler"; return; }
	seed=1
	while [ "$seed" -le "${SEEDS:-500}" ]; do
		timeout 120 "$build/tests/ipledger-sim" --seed "$seed" >"$work/log" 2>&1 || { echo "seed $seed"; return; }
		seed=$((seed + 1))
	done
}

try_each "$@"
