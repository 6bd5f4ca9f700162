#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install the Debian packages that are missing: deps.sh build|check
set -eu

# One package a line.
build="
gcc
libc6-dev
libedit-dev
libevent-dev
libjansson-dev
liblmdb-dev
libmsgpack-dev
libsodium-dev
libssl-dev
libsystemd-dev
libxxhash-dev
meson
ninja-build
pkg-config
"
check="$build
clang
clang-format
dnsmasq-base
gcovr
git
iproute2
isc-dhcp-client
kea-dhcp4-server
libclang-rt-14-dev
libcmocka-dev
mandoc
neovim
openssl
python3
python3-msgpack
python3-pynvim
python3-yaml
udhcpc
"

case "${1:-}" in
build) wanted=$build ;;
check) wanted=$check ;;
*) echo "usage: deps.sh build|check" >&2; exit 2 ;;
esac

missing=
for package in $wanted; do
	dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "missing packages, and no apt-get to install them:$missing" >&2
	exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "not root and no sudo: please install$missing" >&2
		exit 1
	fi
	as_root=sudo
fi
echo "installing$missing" >&2
$as_root apt-get update -qq >&2
# shellcheck disable=SC2086 # the list is words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	$missing >&2
