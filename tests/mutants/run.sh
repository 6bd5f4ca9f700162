#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Break the rules of mutants.txt, one at a time, in a copy of the tree, and run the tests that should
# notice: property and unit tests, then those at the door. Says which one caught it.
#
#     tests/mutants/run.sh [NAME...]      all of them take half an hour; exit 1 if one survived
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
tree=$work/tree
build=$work/build
python=$(command -v /usr/bin/python3 || command -v python3) # one that has msgpack
programs="prop_ledger test_event test_ground test_block test_golden prop_past prop_rows"
doors="rules statements ipv6 transact every_write cooling edges refuse_network refuse_instance refuse_eni refuse_eip"

mkdir "$tree"
(cd "$root" && git ls-files -z | xargs -0 tar -cf -) | tar -xf - -C "$tree" || exit 1
CC="${CC:-$(command -v ccache >/dev/null && echo ccache) gcc}" \
	meson setup "$build" "$tree" -Dtests=enabled -Doptimization=1 -Ddebug=false \
	>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

make() { # make TARGET
	ninja -C "$build" "$1" >"$work/log" 2>&1
}

caught_by() { # prints what fails first; nothing where all pass
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

by=$(caught_by)
[ -z "$by" ] || { echo "without any mutant $by fails:"; tail -n 20 "$work/log"; exit 1; }

caught=0
survived=""
"$python" "$here/mutate.py" list >"$work/list"
while read -r name file rule; do
	[ $# = 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
	"$python" "$here/mutate.py" "$name" "$root" "$tree" || { survived="$survived $name"; continue; }
	by=$(caught_by)
	cp "$root/$file" "$tree/$file"
	if [ -n "$by" ]; then
		caught=$((caught + 1))
		echo "caught    $name by $by: $rule"
	else
		survived="$survived $name"
		echo "SURVIVED  $name ($file): $rule"
	fi
done <"$work/list"
echo "$caught caught; survived:${survived:- none}"
[ -z "$survived" ]
