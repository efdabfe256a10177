SUMMARY = "What GRUB remembers of the two slots, for a new disk"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

INHIBIT_DEFAULT_DEPS = "1"
inherit allarch deploy nopackages

do_configure[noexec] = "1"
do_install[noexec] = "1"

# GRUB never makes the file longer: it is a kilobyte, filled up with #.
do_compile() {
    printf '# GRUB Environment Block\nORDER=A B\nA_OK=1\nA_TRY=0\nB_OK=1\nB_TRY=0\n' > ${B}/grubenv
    head -c "$(expr 1024 - $(stat -c %s ${B}/grubenv))" /dev/zero | tr '\0' '#' >> ${B}/grubenv
}

do_deploy() {
    install -D -m 0644 ${B}/grubenv ${DEPLOYDIR}/grubenv
}
addtask deploy after do_compile before do_build
