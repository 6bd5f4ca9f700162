#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Break the rules of mutants.txt, one at a time, in a copy of the tree, and run the tests that should
# notice: property and unit tests, then those at the door. Says which one caught it.
#
#     tests/mutants/run.sh [NAME...]      all of them take half an hour; exit 1 if one survived
# shellcheck source=tests/mutants/lib.sh
. "$(dirname "$0")/lib.sh"
programs="prop_ledger test_event test_ground test_block test_golden prop_past prop_rows"
doors="rules statements ipv6 transact every_write cooling edges refuse_network refuse_instance refuse_eni refuse_eip"

caught_by() {
	for name in $programs; do
		make "tests/$name" || { echo "the compiler"; return; }
		timeout 300 "$build/tests/$name" >"$work/log" 2>&1 || { echo "$name"; return; }
	done
	make cli/ipledger || { echo "the compiler"; return; }
	for name in $doors; do
		[ -f "$tree/tests/e2e/test_$name.py" ] || continue
		IPLEDGER=$build/cli/ipledger timeout 300 "$python" "$tree/tests/e2e/test_$name.py" \
			>"$work/log" 2>&1 || { echo "e2e_$name"; return; }
	done
}

try_each "$@"
