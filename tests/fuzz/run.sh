#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzz: run.sh [SECONDS] [TARGET...]: builds with libFuzzer, ASan and UBSan into build-fuzz and runs
# each target so long (60 s), one after the other. What is found stays in build-fuzz/findings,
# the corpus that grows in build-fuzz/corpus; FUZZ_JOBS=2 takes two processes for each target.
# Ends with a line for each target, and with 1 where one found something.
set -u
cd "$(dirname "$0")/../.." || exit 2
seconds=${1:-60}
[ $# -gt 0 ] && shift
build=build-fuzz
findings=$build/findings

[ -f "$build/build.ninja" ] ||
	CC=${CC:-clang} meson setup "$build" -Dtests=enabled -Dfuzzers=enabled -Db_sanitize=address,undefined \
		-Db_lundef=false >/dev/null || exit 2
all=$(sed -n "s/^  '\([a-z]*\)': \[\[.*/\1/p" tests/fuzz/meson.build)
[ $# -gt 0 ] || set -- $all
programs=
for target in "$@"; do
	programs="$programs tests/fuzz/fuzz_$target"
done
# shellcheck disable=SC2086 # the list is words
ninja -C "$build" $programs >"$build/compile.log" 2>&1 || {
	tail -n 40 "$build/compile.log"
	exit 2
}

export ASAN_OPTIONS=abort_on_error=0:detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
found=0
summary=
for target in "$@"; do
	own=$build/corpus/$target
	log=$build/fuzz-$target.log
	mkdir -p "$own" "$findings/$target"
	before=$(find "$findings/$target" -type f | wc -l)
	# shellcheck disable=SC2086 # nothing, or an option
	"$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
		-print_final_stats=1 ${FUZZ_JOBS:+-fork=$FUZZ_JOBS} \
		-artifact_prefix="$findings/$target/" "$own" "tests/fuzz/corpus/$target" >"$log" 2>&1
	status=$?
	after=$(find "$findings/$target" -type f | wc -l)
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
	[ -n "$runs" ] || runs=$(sed -n 's/^#\([0-9]*\).*/\1/p' "$log" | tail -n 1)
	new=$((after - before))
	[ "$status" = 0 ] || [ "$new" -gt 0 ] || new=1
	summary="$summary$(printf '%-12s %12s executions  %s findings' "$target" "${runs:-0}" "$new")
"
	if [ "$new" -gt 0 ]; then
		found=1
		grep -E -m 12 'does not hold|Assertion|ERROR:|runtime error|^ +#[0-9]+ .*\.\./' "$log"
		echo "$target: see $log and $findings/$target"
	fi
done
printf '%s' "$summary"
exit $found
