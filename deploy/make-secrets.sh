#!/bin/sh
# Makes the passwords of the engines in compose.yaml: random ones, in files of the folder secrets beside it. What is there already
# stays: an engine keeps the password that it was first started with.
#
# The folder is for its owner alone. The files in it can be read by all: they are mounted one by one into containers, whose
# engines run as users of their own.
set -eu
cd "$(dirname "$0")"
mkdir -p -m 700 secrets

# name, and what stands before the password in the engine's own words
secret() {
  file="secrets/$1"
  if [ -e "$file" ]; then
    echo "$file is there already"
    return
  fi
  printf '%s%s\n' "$2" "$(openssl rand -hex 32)" >"$file"
  chmod 644 "$file"
  echo "$file was made"
}

secret mariadb-password ''
secret mariadb-root-password ''
secret postgres-password ''
secret redis-password.conf 'requirepass '
secret rabbitmq-password.conf 'default_pass = '
