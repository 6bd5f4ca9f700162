#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Break the server as simulation.txt says, one breakage at a time, in a copy of the tree, and run the
# simulation: after how many seeds it is caught.
#
#     tests/mutants/simulation.sh [NAME...]      SEEDS=500 of each at most; exit 1 if one survived
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
tree=$work/tree
build=$work/build
seeds=${SEEDS:-500}
MUTANTS=$here/simulation.txt
export MUTANTS

mkdir "$tree"
(cd "$root" && git ls-files -z | xargs -0 tar -cf -) | tar -xf - -C "$tree" || exit 1
CC="${CC:-$(command -v ccache >/dev/null && echo ccache) gcc}" \
	meson setup "$build" "$tree" -Dtests=enabled -Doptimization=1 -Ddebug=false \
	>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

caught_after() { # prints the seed that fails; nothing where none does
	ninja -C "$build" tests/ipledger-sim >"$work/log" 2>&1 || { echo "the compiler"; return; }
	seed=1
	while [ "$seed" -le "$seeds" ]; do
		timeout 120 "$build/tests/ipledger-sim" --seed "$seed" >"$work/log" 2>&1 || { echo "seed $seed"; return; }
		seed=$((seed + 1))
	done
}

seeds_wanted=$seeds
seeds=20
by=$(caught_after)
seeds=$seeds_wanted
[ -z "$by" ] || { echo "without any mutant $by fails:"; tail -n 20 "$work/log"; exit 1; }

caught=0
survived=""
python3 "$here/mutate.py" list >"$work/list"
while read -r name file rule; do
	[ $# = 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
	python3 "$here/mutate.py" "$name" "$root" "$tree" || { survived="$survived $name"; continue; }
	by=$(caught_after)
	cp "$root/$file" "$tree/$file"
	if [ -n "$by" ]; then
		caught=$((caught + 1))
		echo "caught    $name at $by: $rule"
	else
		survived="$survived $name"
		echo "SURVIVED  $name ($file): $rule"
	fi
done <"$work/list"
echo "$caught caught; survived:${survived:- none}"
[ -z "$survived" ]
