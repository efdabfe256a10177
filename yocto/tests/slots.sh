#!/bin/sh
# RAUC's backend for Jetsons against an nvbootctrl that is played, with the lines that the real one prints.
set -eu
slots=$(cd "$(dirname "$0")/.." && pwd)/meta-linly-edge/recipes-core/rauc/files/linly-slots
w=$(mktemp -d)
trap 'rm -rf "$w"' EXIT
mkdir "$w/efivars"
vendor=781e084c-a330-417c-b678-38e696380cb9
export NVBOOTCTRL="$w/nvbootctrl" EFIVARS="$w/efivars"

# Its state: which slot runs, which comes next; the statuses are in the played variables, as on a board.
echo A >"$w/current"
echo A >"$w/active"
cat >"$w/nvbootctrl" <<'NV'
#!/bin/sh
w=$(dirname "$0")
status() {
    case $(od -An -t u1 -j 4 -N 1 "$w/efivars/RootfsStatusSlot$1-781e084c-a330-417c-b678-38e696380cb9" | tr -d ' ') in
        0) echo normal ;;
        *) echo unbootable ;;
    esac
}
echo "$*" >>"$w/calls"
case "$*" in
    "-t rootfs dump-slots-info")
        echo "Current rootfs slot: $(cat "$w/current")"
        echo "Active rootfs slot: $(cat "$w/active")"
        echo "num_slots: 2"
        echo "slot: 0,             retry_count: 3,             status: $(status A)"
        echo "slot: 1,             retry_count: 3,             status: $(status B)"
        ;;
    "set-active-boot-slot 0") echo A >"$w/active" ;;
    "set-active-boot-slot 1") echo B >"$w/active" ;;
    verify) ;;
    *) echo "nvbootctrl knows no '$*'" >&2; exit 1 ;;
esac
NV
chmod +x "$w/nvbootctrl"
for slot in A B; do printf '\007\000\000\000\000\000\000\000' >"$w/efivars/RootfsStatusSlot$slot-$vendor"; done

bad=0
is() { # is WANTED COMMAND…
    wanted=$1
    shift
    found=$("$slots" "$@" 2>&1) || found="exit $?"
    [ "$found" = "$wanted" ] || { echo "linly-slots $*: '$found' instead of '$wanted'" >&2; bad=1; }
}
variable() { # variable SLOT WANTED
    found=$(od -An -t x1 "$w/efivars/RootfsStatusSlot$1-$vendor" | tr -d ' ')
    [ "$found" = "$2" ] || { echo "status of $1: $found instead of $2" >&2; bad=1; }
}
called() { grep -qx "$1" "$w/calls" || { echo "nvbootctrl $1 was not called" >&2; bad=1; }; }

# An update, as RAUC goes about it: bad while it is written, then next.
is A get-current
is A get-primary
is good get-state B
is '' set-state B bad
variable B 07000000ff000000
is bad get-state B
is '' set-primary B
variable B 0700000000000000
is B get-primary
is A get-current
is good get-state B

# It boots, and the kiosk is healthy: the attempts are forgotten.
echo B >"$w/current"
: >"$w/calls"
is '' set-state B good
called verify
is good get-state B

# A slot that firmware has given up is taken again by the next update.
printf '\007\000\000\000\377\000\000\000' >"$w/efivars/RootfsStatusSlotA-$vendor"
is bad get-state A
is '' set-primary A
is good get-state A

# Marking the other slot never verifies the one that runs.
: >"$w/calls"
is '' set-state A good
! grep -qx verify "$w/calls" || { echo "verify was called for a slot that does not run" >&2; bad=1; }

# Nonsense is refused.
for words in "get-state C" "set-primary" "set-state A perhaps" "reboot" ""; do
    # shellcheck disable=SC2086
    ! "$slots" $words >/dev/null 2>&1 || { echo "linly-slots $words is accepted" >&2; bad=1; }
done
# Without a second slot there is nothing to tell.
printf '#!/bin/sh\necho "Current rootfs slot: "\n' >"$w/nvbootctrl"
! "$slots" get-primary >/dev/null 2>&1 || { echo "no slot is told as one" >&2; bad=1; }

[ "$bad" = 0 ] && echo "linly-slots: good"
exit "$bad"
