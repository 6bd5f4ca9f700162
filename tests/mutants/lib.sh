# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For run.sh and simulation.sh, which say how a mutant is caught: a copy of the tree, set up to be
# built, and each mutant in its turn.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
tree=$work/tree
build=$work/build
python=$(command -v /usr/bin/python3 || command -v python3) # one that has msgpack

mkdir "$tree"
(cd "$root" && git ls-files -z | xargs -0 tar -cf -) | tar -xf - -C "$tree" || exit 1
CC="${CC:-$(command -v ccache >/dev/null && echo ccache) gcc}" \
	meson setup "$build" "$tree" -Dtests=enabled -Doptimization=1 -Ddebug=false \
	>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

make() { # make TARGET
	ninja -C "$build" "$1" >"$work/log" 2>&1
}

# try_each [NAME...]: break one rule after another. caught_by prints what fails first, and nothing
# where all passes. Returns 1 if a mutant survived.
try_each() {
	caught=0
	survived=""
	by=$(caught_by)
	[ -z "$by" ] || { echo "without any mutant $by fails:"; tail -n 20 "$work/log"; return 1; }
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
}
