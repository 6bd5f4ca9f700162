#!/bin/sh
# who_had.sh URL ADDRESS: who has an address, by the HTTP door, signed with openssl (signature version 1)
set -eu
: "${ALIBABA_CLOUD_ACCESS_KEY_ID:?}" "${ALIBABA_CLOUD_ACCESS_KEY_SECRET:?}"
escape() { printf %s "$1" | sed 's/:/%3A/g'; }
# Parameters in the order of their names, as the signature wants them.
query="AccessKeyId=$ALIBABA_CLOUD_ACCESS_KEY_ID&Action=LookupAddress&Address=$(escape "$2")&Format=JSON"
query="$query&SignatureMethod=HMAC-SHA1&SignatureNonce=$(openssl rand -hex 16)&SignatureVersion=1.0"
query="$query&Timestamp=$(escape "$(date -u +%Y-%m-%dT%H:%M:%SZ)")&Version=2014-05-26"
to_sign="GET&%2F&$(printf %s "$query" | sed 's/%/%25/g; s/=/%3D/g; s/&/%26/g')"
signature=$(printf %s "$to_sign" | openssl dgst -sha1 -hmac "$ALIBABA_CLOUD_ACCESS_KEY_SECRET&" -binary | base64 |
	sed 's/+/%2B/g; s/\//%2F/g; s/=/%3D/g')
curl -sS --fail-with-body "$1/?$query&Signature=$signature"
