#!/bin/sh
# Installs what the tests, the demo and the measurements start, where it is missing:
#
#	install.sh PACKAGE...
#
# with names of Debian packages: by apt, as root or with sudo without a password. Where that is not
# possible it names all that is missing and fails. When all is there it does nothing.
set -eu

# installed looks for a package's programs where the tests look for them.
installed() {
	case $1 in
	postgresql)
		set -- initdb /usr/lib/postgresql/*/bin/initdb \
			/var/cache/vlens-archiver-postgres/installation/bin/initdb \
			"${XDG_CACHE_HOME:-${HOME:-}/.cache}/vlens-archiver-postgres/installation/bin/initdb"
		;;
	pgbouncer) set -- pgbouncer /usr/sbin/pgbouncer ;;
	python3-*)
		/usr/bin/python3 -c "import ${1#python3-}" 2>/dev/null
		return
		;;
	chromium) set -- chromium chromium-browser google-chrome google-chrome-stable ;;
	esac
	for program in "$@"; do
		if command -v "$program" >/dev/null; then
			return 0
		fi
	done
	return 1
}

# find_missing puts those of the packages that are not installed into $missing.
find_missing() {
	missing=
	for package in "$@"; do
		installed "$package" || missing="$missing $package"
	done
}

give_up() {
	echo "$1. Missing, by the names of Debian's packages:$missing" >&2
	echo "Install them (Google Chrome serves as well as chromium) and try again." >&2
	exit 1
}

find_missing "$@"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; }; then
	# The demo, which needs nothing else, can download PostgreSQL.
	[ "$*" != postgresql ] || exit 0
	give_up "Nothing can be installed here: that takes apt-get, and root or sudo without a password"
fi
if [ "$(id -u)" != 0 ]; then
	exec sudo -n sh "$0" $missing
fi

# Installing PostgreSQL also makes a server of the machine's own on port 5432,
# unless a file like this one says no while it is installed.
setting=/etc/postgresql-common/createcluster.d/vlens-archiver-tests.conf
remove_setting() {
	rm -f "$setting"
	rmdir -p --ignore-fail-on-non-empty "${setting%/*}"
}
case $missing in
*postgresql*)
	trap remove_setting EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir -p "${setting%/*}"
	echo 'create_main_cluster = off' >"$setting"
	;;
esac

echo "Installing$missing …"
apt-get update -q || echo "apt-get update failed; trying with the lists that are there" >&2
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing ||
	give_up "apt-get could not install what is needed"

# PgBouncer comes as a service, too, for which nobody has asked.
case $missing in
*pgbouncer*)
	invoke-rc.d pgbouncer stop || :
	update-rc.d pgbouncer disable || :
	;;
esac

find_missing $missing
[ -z "$missing" ] || give_up "apt-get has installed what was asked for, and its programs are not there"
