#!/bin/sh
# Installs the Debian packages that it is given, as root. Their services are not started: a policy says so to the packages'
# own scripts, and is taken away again. One run at a time, since apt refuses a second one; who waited finds all done.
set -eu

# Elsewhere in the test of this script only.
state=${DOORBUSTER_TEST_STATE:-/var/lib/dpkg}
policy=${DOORBUSTER_TEST_STATE:-/usr/sbin}/policy-rc.d

if [ -z "${DOORBUSTER_TEST_INSTALLS:-}" ]; then
  # Closed in what it runs, or a daemon that a package starts all the same would hold the lock for ever.
  DOORBUSTER_TEST_INSTALLS=1 exec flock --close "$state/doorbuster-tests.lock" sh "$0" "$@"
fi

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=
for package in "$@"; do is_installed "$package" || missing="$missing $package"; done
[ -n "$missing" ] || exit 0

if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
fi

export DEBIAN_FRONTEND=noninteractive
# Somebody else's apt is waited for, a mirror that says nothing is not.
set -- -qq -o DPkg::Lock::Timeout=300 -o Acquire::http::Timeout=30 -o Acquire::Retries=2
apt-get "$@" update
# The names are words without spaces.
# shellcheck disable=SC2086
apt-get "$@" install -y --no-install-recommends $missing
