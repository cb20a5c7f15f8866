#!/bin/sh
# Makes the certificates of these tests anew; the authority's key is thrown away afterwards.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/index"
cat > "$work/ca.conf" <<CONF
[ca]
default_ca = authority
[authority]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
CONF

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$work/$1.key"; }
request() { openssl req -new -key "$work/$1.key" -subj "/CN=$2" -out "$work/$1.csr"; }
leaf() { # file, common name, alternative names, purpose, from, until, how it is signed...
    file=$1 name=$2 names=$3 purpose=$4 from=$5 until=$6
    shift 6
    key "$file"
    request "$file" "$name"
    cat > "$work/$file.ext" <<CONF
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $purpose
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $names
CONF
    openssl ca -batch -notext -config "$work/ca.conf" -in "$work/$file.csr" -out "$work/$file.crt" \
        -startdate "$from" -enddate "$until" -extfile "$work/$file.ext" "$@" 2> /dev/null
    cat "$work/$file.key" "$work/$file.crt" > "$file.pem"
}

first=20200101000000Z last=21200101000000Z
key ca
request ca "gpumon test authority"
openssl ca -batch -notext -config "$work/ca.conf" -in "$work/ca.csr" -out ca.pem -startdate $first -enddate $last \
    -extensions root -selfsign -keyfile "$work/ca.key" 2> /dev/null
set -- -cert ca.pem -keyfile "$work/ca.key"
here="DNS:localhost, IP:127.0.0.1"
leaf server localhost "$here" serverAuth $first $last "$@"
leaf other elsewhere "DNS:elsewhere.example" serverAuth $first $last "$@"
leaf expired localhost "$here" serverAuth $first 20200201000000Z "$@"
leaf client gpumon "DNS:gpumon.example" clientAuth $first $last "$@"
leaf selfsigned localhost "$here" serverAuth $first $last -selfsign -keyfile "$work/selfsigned.key"
