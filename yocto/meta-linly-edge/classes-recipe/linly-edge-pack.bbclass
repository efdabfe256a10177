# A pack of models, or a portrait, for the daemon: a folder that is installed below /usr/share/linly-edge.
#
#     LINLY_PACK_FOLDERS = "models/lobby avatar"      folders in ${S}, kept as they are
#
# A file that makes others (*.py) stays behind.
inherit allarch

LINLY_PACK_FOLDERS ?= ""
INHIBIT_DEFAULT_DEPS = "1"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    cd ${S}
    find ${LINLY_PACK_FOLDERS} -type f ! -name '*.py' | while read -r file; do
        install -D -m 0644 "$file" "${D}${datadir}/linly-edge/$file"
    done
}

FILES:${PN} = "${datadir}/linly-edge"
